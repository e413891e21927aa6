package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const (
	testApp = 1400000000
	testKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// app is a server under test and a plain client for it, over real sockets or over pipes.
type app struct {
	t     testing.TB
	sim   *Server
	url   string
	http  *http.Client
	sig   string
	query url.Values
}

// answered is an answer as a client sees it: decoded loosely, since the simulator's own types would
// share its mistakes.
type answered struct {
	http    int
	raw     []byte
	err     error
	header  http.Header
	json    map[string]any
	status  string
	code    int
	info    string
	results map[string]int // by To_Account; the last one counts
	order   []string
}

// start serves c on a loopback port.
func start(t testing.TB, c Config) *app {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	return serve(t, c, l, transport, "http://"+l.Addr().String())
}

// startPiped serves c over net.Pipe, for virtual time.
func startPiped(t testing.TB, c Config) *app {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, DialContext: l.dial}
	return serve(t, c, l, transport, "http://chat.test")
}

func serve(t testing.TB, c Config, l net.Listener, transport *http.Transport, address string) *app {
	c.SDKAppID, c.Key = testApp, testKey
	a := &app{t: t, sim: New(c), url: address}
	server := a.sim.HTTP()
	var ended sync.WaitGroup
	ended.Go(func() { server.Serve(a.sim.Listener(l)) })
	a.http = &http.Client{Transport: transport, Timeout: time.Hour, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		ended.Wait()
	})
	a.sig = sign(t, "administrator")
	return a
}

func sign(t testing.TB, identifier string) string {
	t.Helper()
	s, err := tencentyun.GenUserSig(testApp, testKey, identifier, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parameters are the right query parameters.
func (a *app) parameters() url.Values {
	return url.Values{
		"sdkappid": {fmt.Sprint(testApp)}, "identifier": {"administrator"}, "usersig": {a.sig}, "random": {"4294967295"}, "contenttype": {"json"},
	}
}

func (a *app) address(api string) string {
	path := "/v4/sns/" + api
	if strings.Contains(api, "account") {
		path = "/v4/im_open_login_svc/" + api
	}
	q := a.parameters()
	if a.query != nil {
		q = a.query
	}
	return a.url + path + "?" + q.Encode()
}

// post calls an API.
func (a *app) post(api, body string) answered {
	return a.postUntil(context.Background(), api, body)
}

func (a *app) postUntil(ctx context.Context, api, body string) answered {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.address(api), strings.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return answered{err: err}
	}
	return a.do(r)
}

func (a *app) do(r *http.Request) answered {
	w, err := a.http.Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer w.Body.Close()
	v := answered{http: w.StatusCode, header: w.Header, results: map[string]int{}, code: -1}
	v.raw, v.err = io.ReadAll(io.LimitReader(w.Body, 5<<20))
	if json.Unmarshal(v.raw, &v.json) != nil {
		return v
	}
	v.status, _ = v.json["ActionStatus"].(string)
	v.info, _ = v.json["ErrorInfo"].(string)
	if c, ok := v.json["ErrorCode"].(float64); ok {
		v.code = int(c)
	}
	for _, key := range []string{"ResultItem", "InfoItem", "UserDataItem"} {
		items, _ := v.json[key].([]any)
		for _, it := range items {
			m, _ := it.(map[string]any)
			to, _ := m["To_Account"].(string)
			code, _ := m["ResultCode"].(float64)
			v.results[to] = int(code)
			v.order = append(v.order, to)
		}
	}
	return v
}

// importBody is a plain friend_import.
func importBody(from string, to ...string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"From_Account":%q,"AddFriendItem":[`, from)
	for i, id := range to {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"To_Account":%q,"AddSource":"AddSource_Type_Import"}`, id)
	}
	b.WriteString("]}")
	return b.String()
}

// names makes n account ids.
func names(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return list
}

func (a *app) imports(from string, to ...string) answered {
	return a.post(apiImport, importBody(from, to...))
}

// want checks the code of a whole call.
func (v answered) want(t testing.TB, code int) answered {
	t.Helper()
	status := "OK"
	if code != 0 {
		status = "FAIL"
	}
	if v.err != nil || v.http != 200 || v.code != code || v.status != status {
		t.Errorf("got HTTP %d, %s %d %q, error %v; want HTTP 200, %s %d\n%.300s", v.http, v.status, v.code, v.info, v.err, status, code, v.raw)
	}
	return v
}

// pipeListener hands out the ends of pipes: a socket in a bubble of virtual time would never let
// time move.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return mine, nil
	case <-l.done:
		return nil, errors.New("refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// friends returns the length of from's list.
func (s *Server) friends(from string) int {
	l := s.graph.open(from)
	defer l.close()
	return l.n
}
