// fluent-logger-golang: HOST PORT COUNT. `safe N` is told of what was acknowledged; it sends the same chunk again itself.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	port, _ := strconv.Atoi(os.Args[2])
	count, _ := strconv.Atoi(os.Args[3])
	logger, err := fluent.New(fluent.Config{
		FluentHost: os.Args[1], FluentPort: port, TagPrefix: "app",
		RequestAck: true, ReadTimeout: 5 * time.Second,
		MaxRetry: 200, RetryWait: 50, MaxRetryWait: 100,
		SubSecondPrecision: true,
	})
	if err != nil {
		panic(err)
	}
	defer logger.Close()
	for number := 0; number < count; number++ {
		event := map[string]any{"action": "view", "path": fmt.Sprintf("/datasets/%d", number), "n": number}
		if err := logger.Post("view", event); err != nil {
			panic(err)
		}
		fmt.Println("safe", number)
	}
}
