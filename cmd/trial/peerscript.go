package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"friendmigrate/cmd/trial/lab"
)

// runScript is the one-off script that an engineer would write: it reads the file into a map, lets a
// pool of workers send one call for each account with JSON made by hand, reads the answers with
// encoding/json and stops at the first thing that goes wrong. It neither limits its pace nor repeats
// or records anything.
func runScript(_ context.Context, args []string, _ io.Writer) error {
	if len(args) != 2 {
		return errors.New("the script takes a file and a URL")
	}
	rosters := readRosters(args[0])
	accounts := slices.Collect(maps.Keys(rosters))
	sig := lab.Must(tencentyun.GenUserSig(lab.App, lab.Key, "administrator", 86400))
	const workers = 50
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = workers, workers
	client := http.Client{Transport: transport}
	url := fmt.Sprintf("%s/v4/sns/friend_import?sdkappid=%d&identifier=administrator&usersig=%s&random=1"+
		"&contenttype=json", args[1], lab.App, sig)
	sideBySide(workers, func(i int) bool { return i < len(accounts) }, func(i int) {
		lab.Check(sendRoster(&client, url, accounts[i], rosters[accounts[i]]))
	})
	return nil
}

// readRosters reads To_Account, Remark and AddSource by From_Account.
func readRosters(file string) map[string][][]string {
	f := lab.Must(os.Open(file))
	defer f.Close()
	rosters := map[string][][]string{}
	r := csv.NewReader(f)
	lab.Must(r.Read()) // the header
	for {
		row, err := r.Read()
		if err == io.EOF {
			return rosters
		}
		lab.Check(err)
		rosters[row[0]] = append(rosters[row[0]], row[1:])
	}
}

func sendRoster(client *http.Client, url, from string, friends [][]string) error {
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
	res, err := client.Post(url, "application/json", bytes.NewReader(append(body, "]}"...)))
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
