package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"friendmigrate/migrate"
)

// request is one that a test's service has received.
type request struct {
	method, path, proto, sig string
	header                   http.Header
	query                    map[string][]string
	body                     string
	from                     string
	to                       []string
}

// service is a test's service: it records what it receives and answers as it is told.
type service struct {
	answer func(n int, r request, w http.ResponseWriter) // n from 1; nil: all is well

	mu       sync.Mutex
	requests []request
	opened   int // connections
	open     int
	mostOpen int
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := request{method: r.Method, path: r.URL.Path, proto: r.Proto, header: r.Header, query: r.URL.Query(), body: string(body)}
	got.sig = r.URL.Query().Get("usersig")
	var parsed struct {
		From          string          `json:"From_Account"`
		To            json.RawMessage `json:"To_Account"`
		AddFriendItem []struct {
			To string `json:"To_Account"`
		}
	}
	_ = json.Unmarshal(body, &parsed)
	got.from = parsed.From
	for _, item := range parsed.AddFriendItem {
		got.to = append(got.to, item.To)
	}
	if parsed.To != nil {
		_ = json.Unmarshal(parsed.To, &got.to)
	}
	s.mu.Lock()
	s.requests = append(s.requests, got)
	n := len(s.requests)
	s.mu.Unlock()
	if s.answer == nil {
		allWell(got, w)
		return
	}
	s.answer(n, got, w)
}

func (s *service) connState(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.opened++
		s.open++
		s.mostOpen = max(s.mostOpen, s.open)
	case http.StateClosed, http.StateHijacked:
		s.open--
	}
}

func (s *service) received() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

// allWell takes every friend.
func allWell(r request, w http.ResponseWriter) { itemsOf(w, r, func(string) int { return 0 }) }

// itemsOf answers with a code for each friend.
func itemsOf(w http.ResponseWriter, r request, code func(to string) int) {
	var items, failed []string
	for _, to := range r.to {
		c := code(to)
		items = append(items, fmt.Sprintf(`{"To_Account":%q,"ResultCode":%d,"ResultInfo":""}`, to, c))
		if c != 0 {
			failed = append(failed, fmt.Sprintf("%q", to))
		}
	}
	list := ""
	if failed != nil {
		list = `"Fail_Account":[` + strings.Join(failed, ",") + `],`
	}
	fmt.Fprintf(w, `{"ResultItem":[%s],%s%s`, strings.Join(items, ","), list, okTail)
}

func fail(w http.ResponseWriter, code int) {
	fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":"text of %d"}`, code, code)
}

// serve starts the service on loopback.
func (s *service) serve(t testing.TB) string {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = s.connState
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// testClient makes a client for tests. change may be nil.
func testClient(t testing.TB, endpoint string, change func(*Config)) *Client {
	t.Helper()
	config := Config{
		Endpoint: endpoint, SDKAppID: testApp, Identifier: testAdmin, Key: StaticKey(NewSecret(testKey)),
		Rate: Unpaced, Workers: 8, Timeout: 5 * time.Second,
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func edgesTo(to ...string) []migrate.Edge {
	var edges []migrate.Edge
	for _, name := range to {
		edges = append(edges, plain(name))
	}
	return edges
}

func kinds(outcomes []migrate.Outcome) string {
	names := map[migrate.Kind]string{migrate.Again: "again", migrate.Imported: "imported", migrate.Already: "already", migrate.Failed: "failed"}
	var list []string
	for _, o := range outcomes {
		name := names[o.Kind]
		if o.Uncertain {
			name += "?"
		}
		if o.Code != 0 {
			name += fmt.Sprint(":", o.Code)
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

// pipes is a listener in memory, for virtual time: a loopback socket in a bubble never lets time
// move.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bubble runs the service in memory, inside a synctest bubble. stop ends it.
func (s *service) bubble(t *testing.T, change func(*Config)) (c *Client, stop func()) {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: s, ConnState: s.connState}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(p) })
	c = testClient(t, "http://127.0.0.1", func(config *Config) {
		config.DialContext = p.dial
		if change != nil {
			change(config)
		}
	})
	return c, func() {
		c.Close()
		_ = server.Close()
		wg.Wait()
	}
}

// signed reports whether the request's signature is good now.
func signed(r request, key string) error {
	return tencentyun.VerifyUserSig(testApp, key, testAdmin, r.sig, time.Now())
}
