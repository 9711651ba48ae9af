// Sends the documents of standard input through the client's bulk indexer, and tells on standard output what became of each.
// usage: go8 URL [KEY] <DOCUMENTS: one JSON object a line, {"id","op","document"}>
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
)

type document struct {
	Id       string          `json:"id"`
	Op       string          `json:"op"`
	Document json.RawMessage `json:"document"`
}

var mutex sync.Mutex

func tell(id string, ok bool, status int, reason string) {
	line, _ := json.Marshal(map[string]any{"id": id, "ok": ok, "status": status, "reason": reason})
	mutex.Lock()
	fmt.Println(string(line))
	mutex.Unlock()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	config := elasticsearch.Config{Addresses: []string{os.Args[1]}}
	if len(os.Args) > 2 {
		config.APIKey = os.Args[2]
	}
	client, err := elasticsearch.NewClient(config)
	check(err)
	var waiting []document
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one document
		check(json.Unmarshal(lines.Bytes(), &one))
		waiting = append(waiting, one)
	}
	// What the client gives up is sent again, as an application would that must not lose it.
	for tries := 0; len(waiting) > 0 && tries < 100; tries++ {
		if tries > 0 {
			time.Sleep(200 * time.Millisecond)
		}
		if info, err := client.Info(); err != nil || info.IsError() {
			fmt.Fprintln(os.Stderr, info, err)
			continue
		}
		waiting = send(client, waiting)
	}
	for _, one := range waiting {
		tell(one.Id, false, 0, "given up")
	}
}

// Sends documents once; answers those that were not taken for now.
func send(client *elasticsearch.Client, documents []document) []document {
	var again []document
	settled := map[string]bool{}
	// The indexer tells nothing of items whose request failed but an error: those are sent again.
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: "senders", NumWorkers: 1})
	check(err)
	for _, one := range documents {
		err := indexer.Add(context.Background(), esutil.BulkIndexerItem{
			Action: one.Op, DocumentID: one.Id, Body: strings.NewReader(string(one.Document)),
			OnSuccess: func(_ context.Context, _ esutil.BulkIndexerItem, said esutil.BulkIndexerResponseItem) {
				mutex.Lock()
				settled[one.Id] = true
				mutex.Unlock()
				tell(one.Id, true, said.Status, "")
			},
			OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, said esutil.BulkIndexerResponseItem, err error) {
				if err == nil && said.Status != 429 && said.Status < 500 && said.Status != 0 {
					mutex.Lock()
					settled[one.Id] = true
					mutex.Unlock()
					tell(one.Id, false, said.Status, said.Error.Reason)
				}
			},
		})
		check(err)
	}
	if err := indexer.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, one := range documents {
		if !settled[one.Id] {
			again = append(again, one)
		}
	}
	return again
}
