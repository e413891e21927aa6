package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"friendmigrate/cmd/trial/lab"
)

// runScript is the one-off script that an engineer would write: it reads the file into a map, lets a
// pool of workers send one call for each account with JSON made by hand, reads the answers with
// encoding/json and stops at the first thing that goes wrong. It neither limits its pace nor repeats
// or records anything.
func runScript(file, endpoint string) error {
	rosters, err := readRosters(file)
	if err != nil {
		return err
	}
	sig, err := tencentyun.GenUserSig(lab.App, lab.Key, "administrator", 86400)
	if err != nil {
		return err
	}
	const workers = 50
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = workers, workers
	s := &script{
		client: http.Client{Transport: transport},
		url: fmt.Sprintf("%s/v4/sns/friend_import?sdkappid=%d&identifier=administrator&usersig=%s&random=1"+
			"&contenttype=json",
			endpoint, lab.App, sig),
	}
	todo := make(chan string, workers)
	failed := make(chan error, workers)
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			for from := range todo {
				if err := s.send(from, rosters[from]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for from := range rosters {
		select {
		case todo <- from:
		case err := <-failed:
			return err
		}
	}
	close(todo)
	pool.Wait()
	close(failed)
	return <-failed
}

// readRosters reads To_Account, Remark and AddSource by From_Account.
func readRosters(file string) (rosters map[string][][]string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rosters = map[string][][]string{}
	r := csv.NewReader(f)
	_, err = r.Read() // the header
	for err == nil {
		var row []string
		if row, err = r.Read(); err == nil {
			rosters[row[0]] = append(rosters[row[0]], row[1:])
		}
	}
	if err == io.EOF {
		err = nil
	}
	return rosters, err
}

type script struct {
	client http.Client
	url    string
}

func (s *script) send(from string, friends [][]string) error {
	body := []byte(`{"From_Account":` + strconv.Quote(from) + `,"AddFriendItem":[`)
	for i, friend := range friends {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"To_Account":`...)
		body = strconv.AppendQuote(body, friend[0])
		body = append(body, `,"Remark":`...)
		body = strconv.AppendQuote(body, friend[1])
		body = append(body, `,"AddSource":`...)
		body = append(strconv.AppendQuote(body, friend[2]), '}')
	}
	res, err := s.client.Post(s.url, "application/json", bytes.NewReader(append(body, "]}"...)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		ResultItem []struct {
			ToAccount  string `json:"To_Account"`
			ResultCode int
			ResultInfo string
		}
		ActionStatus string
		ErrorCode    int
		ErrorInfo    string
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection can be used again
	if answer.ErrorCode != 0 || len(answer.ResultItem) != len(friends) {
		return fmt.Errorf("%s: code %d, %d results: %s", from, answer.ErrorCode, len(answer.ResultItem),
			answer.ErrorInfo)
	}
	for _, item := range answer.ResultItem {
		if item.ResultCode != 0 {
			return fmt.Errorf("%s and %s: code %d", from, item.ToAccount, item.ResultCode)
		}
	}
	return nil
}
