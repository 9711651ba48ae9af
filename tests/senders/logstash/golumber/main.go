// Sends events with go-lumber in windows of ten until all are acknowledged, and says which were.
// usage: golumber ADDRESS COUNT sync|async
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	v2 "github.com/elastic/go-lumber/client/v2"
)

const window = 10

func main() {
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	for at := 0; at < count; {
		var acknowledged int
		if os.Args[3] == "sync" {
			acknowledged = synchronously(os.Args[1], at, count)
		} else {
			acknowledged = asynchronously(os.Args[1], at, count)
		}
		at += acknowledged
		time.Sleep(20 * time.Millisecond)
	}
}

func events(from, count int) []interface{} {
	var batch []interface{}
	for n := from; n < count && len(batch) < window; n++ {
		batch = append(batch, map[string]interface{}{"n": n, "event_id": fmt.Sprint("e-", n), "path": "/datasets/trees"})
	}
	return batch
}

func say(from, count int) {
	for n := from; n < from+count; n++ {
		fmt.Println("safe", n)
	}
}

// Sends until something fails; how many events were acknowledged.
func synchronously(address string, from, count int) int {
	client, err := v2.SyncDial(address, v2.CompressionLevel(3), v2.Timeout(10*time.Second))
	if err != nil {
		return 0
	}
	defer client.Close()
	sum := 0
	for from+sum < count {
		acknowledged, err := client.Send(events(from+sum, count))
		say(from+sum, acknowledged)
		sum += acknowledged
		if err != nil {
			return sum
		}
		time.Sleep(5 * time.Millisecond)
	}
	return sum
}

// The same with three windows under way.
func asynchronously(address string, from, count int) int {
	client, err := v2.AsyncDial(address, 3, v2.CompressionLevel(3), v2.Timeout(10*time.Second))
	if err != nil {
		return 0
	}
	defer client.Close()
	type answer struct {
		count uint32
		err   error
	}
	answers := make(chan answer, 1+count/window)
	sent, sum, broken := 0, 0, false
	hear := func(answer answer) {
		if !broken {
			say(from+sum, int(answer.count))
			sum += int(answer.count)
		}
		broken = broken || answer.err != nil
	}
	under := 0
	for from+sent < count && !broken {
		batch := events(from+sent, count)
		err := client.Send(func(count uint32, err error) { answers <- answer{count, err} }, batch)
		if err != nil {
			break
		}
		sent, under = sent+len(batch), under+1
		for len(answers) > 0 {
			hear(<-answers)
			under--
		}
	}
	for ; under > 0; under-- {
		select {
		case answer := <-answers:
			hear(answer)
		case <-time.After(15 * time.Second):
			return sum
		}
	}
	return sum
}
