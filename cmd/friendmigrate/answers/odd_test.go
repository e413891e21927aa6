package answers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// oddity is one way in which a call can come to no good.
type oddity struct {
	name    string
	fault   simulator.Fault                               // of the simulated service, or
	dial    func(ctx context.Context) (net.Conn, error)   // instead of a connection, or
	accept  func(t testing.TB, ca *authority, c net.Conn) // instead of the service, over TLS
	refuses bool                                          // before the first success it stops the job: certificates, statuses of another host
}

// oddTimeout is the timeout of a call; an odd answer may take it to its end.
const oddTimeout = 10 * time.Second

// TestOddAnswers gives one odd answer, or none, to the first call of a job, to one in the middle
// and to the last: nothing is reported that the service doesn't have, no edge is lost, and no call
// takes longer than its timeout and a tenth. A job that stopped is run again, as its exit code
// says.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	list := slices.Concat(oddFaults(), oddDials(), oddServers())
	names := map[string]bool{}
	runs := 0
	for _, o := range list {
		if names[o.name] {
			t.Errorf("%s is there twice", o.name)
		}
		names[o.name] = true
		positions := []int{1, middle, sceneAccounts}
		if testing.Short() {
			positions = []int{1 + len(names)%sceneAccounts}
		}
		for _, position := range positions {
			t.Run(fmt.Sprintf("%s at call %d", o.name, position), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { o.play(t, position) })
			})
			runs++
		}
		if o.fault.Kind != 0 && o.fault.Kind != simulator.FaultItems && !testing.Short() {
			t.Run(o.name+" at a check", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { o.playCheck(t) })
			})
			runs++
		}
	}
	if len(list) < 60 {
		t.Errorf("only %d oddities", len(list))
	}
	t.Logf("%d faults of transport, TLS, HTTP and body, each at %d positions, and of friend_check: %d jobs, all edges in the service, none reported that is not, no call over its timeout + 10 %%",
		len(list), smaller(3, 1), runs)
}

// play runs a job in which the call at position meets the oddity, and no other.
func (o oddity) play(t *testing.T, position int) {
	j := newJob(t, ring(sceneAccounts, sceneFriends))
	var hit atomic.Bool
	config := simulator.Config{Readings: simulator.Readings{Reimport: simulator.ReimportAlready}, Latency: 20 * time.Millisecond}
	if o.fault.Kind != 0 {
		config.Script = func(c simulator.Call) *simulator.Fault {
			if c.Number != int64(position) || !hit.CompareAndSwap(false, true) {
				return nil
			}
			return &o.fault
		}
	}
	c, ca := o.serve(t, config, position, &hit)
	f := flags{workers: 1, rate: sink.Unpaced, timeout: oddTimeout, wrap: punctual(t)}
	if ca != nil {
		f.config = func(s *sink.Config) { s.RootCAs = ca.pool() }
	}
	e := j.run(t.Context(), c, f)
	was := j.audit(c)
	if !hit.Load() {
		t.Error("the oddity was not met")
	}
	if e.exit == 12 && o.refuses && position == 1 {
		if e.stop.Hint == "" || was.totals.Settled() != 0 {
			t.Errorf("%+v, %v", was.totals, e.stop)
		}
		e = j.run(t.Context(), c, f)
		was = j.audit(c)
	}
	if e.exit != 0 || was.totals.Failed != 0 || len(was.open) != 0 {
		t.Errorf("exit %d, %+v: %v", e.exit, was.totals, e.err)
	}
	if was.totals.Already != was.totals.AlreadyUncertain && !o.lies() {
		t.Errorf("%d edges were there before, but only %d are known as sent without an answer", was.totals.Already, was.totals.AlreadyUncertain)
	}
	if s := c.Stats(); s.EdgesReapplied != was.totals.Already {
		t.Errorf("%d edges came twice, %d are known as there before", s.EdgesReapplied, was.totals.Already)
	}
}

// playCheck runs a job under --only-missing in which the friend_check of the account in the middle
// meets the oddity: what is not there must not be found.
func (o oddity) playCheck(t *testing.T) {
	var hit atomic.Bool
	j := newJob(t, ring(sceneAccounts, sceneFriends))
	c := piped(t, simulator.Config{Script: func(c simulator.Call) *simulator.Fault {
		if c.API != "friend_check" || c.Number != 2*middle-1 || !hit.CompareAndSwap(false, true) {
			return nil
		}
		return &o.fault
	}})
	e := j.run(t.Context(), c, flags{workers: 1, rate: sink.Unpaced, timeout: oddTimeout, onlyMissing: true})
	a := j.audit(c)
	if !hit.Load() || e.exit != 0 || a.totals.Imported != sceneEdges {
		t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
	}
}

// lies reports whether the answer says by its meaning that nothing was done, although it was.
func (o oddity) lies() bool {
	return o.fault.Applied && (o.fault.Kind == simulator.FaultStatus && (o.fault.Code == 413 || o.fault.Code == 429) || o.fault.Name == "code-negative")
}

// punctual watches that every call ends in time.
func punctual(t *testing.T) func(migrate.Caller) migrate.Caller {
	return func(call migrate.Caller) migrate.Caller {
		return func(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
			began := time.Now()
			list, err := call(ctx, from, edges)
			if took := time.Since(began); took > oddTimeout*11/10 {
				t.Errorf("a call took %v: %v", took, err)
			}
			return list, err
		}
	}
}

// serve makes the service that the oddity needs: over pipes, and over TLS with a connection for
// each call where connections are odd.
func (o oddity) serve(t *testing.T, config simulator.Config, position int, hit *atomic.Bool) (*chat, *authority) {
	if o.dial == nil && o.accept == nil {
		return piped(t, config), nil
	}
	ca := newAuthority(t)
	p := newPipes()
	s := &spoiled{Listener: p, dialled: p.dial}
	now := func(n int) bool { return n == position && hit.CompareAndSwap(false, true) }
	if o.dial != nil {
		s.spoilDial = func(n int) func(context.Context) (net.Conn, error) {
			if now(n) {
				return o.dial
			}
			return nil
		}
	} else {
		s.spoilAccept = func(n int) func(net.Conn) {
			if now(n) {
				return func(c net.Conn) { o.accept(t, ca, c) }
			}
			return nil
		}
	}
	c := serve(t, config, tls.NewListener(s, ca.good(oddHost)), func(h *http.Server) { h.SetKeepAlivesEnabled(false) })
	t.Cleanup(s.running.Wait)
	c.endpoint, c.dial = "https://"+oddHost, s.dial
	return c, ca
}

// oddFaults are those that the simulated service has itself.
func oddFaults() []oddity {
	var list []oddity
	add := func(f simulator.Fault, refuses bool) {
		list = append(list, oddity{name: f.String(), fault: f, refuses: refuses})
	}
	for _, applied := range []bool{false, true} {
		for _, name := range simulator.BodyKinds() {
			if name != "page-stuck" { // is about friend_get
				add(simulator.Fault{Kind: simulator.FaultBody, Name: name, Applied: applied}, false)
			}
		}
		for _, name := range simulator.RawKinds() {
			add(simulator.Fault{Kind: simulator.FaultRaw, Name: name, Applied: applied}, name == "switching")
		}
		for status, leads := range statuses {
			add(simulator.Fault{Kind: simulator.FaultStatus, Code: status, Applied: applied}, leads == wrongWay)
		}
		for _, kind := range []simulator.FaultKind{simulator.FaultReset, simulator.FaultClose, simulator.FaultCut, simulator.FaultStall, simulator.FaultHeadStall, simulator.FaultHalfStall} {
			add(simulator.Fault{Kind: kind, Applied: applied}, false)
		}
		for _, code := range []int{30006, 30007, 60008, 60013, 70169, 70202, 70500} {
			add(simulator.Fault{Kind: simulator.FaultCode, Code: code, Applied: applied}, false)
		}
		for _, code := range []int{30006, 30007} {
			add(simulator.Fault{Kind: simulator.FaultItems, Code: code, Applied: applied}, false)
		}
	}
	for _, f := range []simulator.Fault{
		{Kind: simulator.FaultDrip, For: 15 * time.Second, Applied: true}, {Kind: simulator.FaultDrip, For: 9 * time.Second, Applied: true},
		{Kind: simulator.FaultSpike, For: 15 * time.Second, Applied: true}, {Kind: simulator.FaultSpike, For: 5 * time.Second, Applied: true},
		{Kind: simulator.FaultStall, For: 5 * time.Second}, {Kind: simulator.FaultHalfStall, For: 5 * time.Second, Applied: true},
		{Kind: simulator.FaultRefuse},
	} {
		add(f, false)
	}
	slices.SortFunc(list, func(a, b oddity) int { return strings.Compare(a.name, b.name) })
	return list
}

// oddDials are connections that don't come about.
func oddDials() []oddity {
	fails := func(name string, err error) oddity {
		return oddity{name: "dial: " + name, dial: func(context.Context) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }}
	}
	return []oddity{
		fails("refused", syscall.ECONNREFUSED),
		fails("reset", syscall.ECONNRESET),
		fails("no route", syscall.EHOSTUNREACH),
		fails("no network", syscall.ENETUNREACH),
		fails("timed out", syscall.ETIMEDOUT),
		fails("too many files", syscall.EMFILE),
		fails("no such host", &net.DNSError{Err: "no such host", Name: "chat.test", IsNotFound: true}),
		fails("name server silent", &net.DNSError{Err: "i/o timeout", Name: "chat.test", IsTimeout: true, IsTemporary: true}),
		fails("name server fails", &net.DNSError{Err: "server misbehaving", Name: "chat.test", IsTemporary: true}),
		{name: "dial: no answer", dial: func(ctx context.Context) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, oddTimeout) // as the client's own dialler has it: a dial outlives its call
			defer cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		{name: "dial: closed at once", dial: func(context.Context) (net.Conn, error) {
			a, b := pipe()
			return a, b.Close()
		}},
	}
}

// oddServers are connections on which TLS goes wrong.
func oddServers() []oddity { return slices.Concat(oddHandshakes(), oddTalk()) }

const oddHost = "chat.test"

// oddHandshakes are handshakes that fail, or after which nothing follows.
func oddHandshakes() []oddity {
	shakes := func(name string, refuses bool, config func(*authority) *tls.Config) oddity {
		return oddity{name: "tls: " + name, refuses: refuses, accept: func(_ testing.TB, ca *authority, c net.Conn) {
			_ = tls.Server(c, config(ca)).Handshake()
		}}
	}
	return []oddity{
		shakes("unknown authority", true, func(ca *authority) *tls.Config { return newAuthority(ca.t).good(oddHost) }),
		shakes("wrong host", true, func(ca *authority) *tls.Config { return ca.good("other.test") }),
		shakes("expired", true, func(ca *authority) *tls.Config { return ca.server(oddHost, -2*time.Hour, -time.Hour) }),
		shakes("not yet valid", true, func(ca *authority) *tls.Config { return ca.server(oddHost, time.Hour, 2*time.Hour) }),
		shakes("old version", false, func(ca *authority) *tls.Config {
			config := ca.good(oddHost)
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return config
		}),
		shakes("no certificate", false, func(*authority) *tls.Config {
			return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}
		}),
		shakes("wants a client's certificate", false, func(ca *authority) *tls.Config {
			config := ca.good(oddHost)
			config.ClientAuth = tls.RequireAnyClientCert
			return config
		}),
		shakes("shakes hands and leaves", false, func(ca *authority) *tls.Config { return ca.good(oddHost) }),
	}
}

// oddTalk is what else a peer can say or not say.
func oddTalk() []oddity {
	plain := func(name string, talk func(c net.Conn)) oddity {
		return oddity{name: "tls: " + name, accept: func(_ testing.TB, _ *authority, c net.Conn) { talk(c) }}
	}
	says := func(name, text string) oddity {
		return plain(name, func(c net.Conn) {
			hello(c)
			_, _ = io.WriteString(c, text)
		})
	}
	shaken := func(name string, talk func(c net.Conn, s *tls.Conn)) oddity {
		return oddity{name: "tls: " + name, accept: func(_ testing.TB, ca *authority, c net.Conn) { talk(c, tls.Server(c, ca.good(oddHost))) }}
	}
	return []oddity{
		plain("closes before the handshake", func(net.Conn) {}),
		plain("closes in the handshake", hello),
		plain("is silent in the handshake", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }),
		says("speaks plain HTTP", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
		says("speaks garbage", strings.Repeat("\x17\x99garbage", 100)),
		says("sends an alert", "\x15\x03\x03\x00\x02\x02\x28"),
		says("sends an empty record", "\x16\x03\x03\x00\x00"),
		shaken("breaks a record of the answer", func(c net.Conn, s *tls.Conn) {
			hello(s)
			_, _ = io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
			_, _ = io.WriteString(c, "\x17\x03\x03\x00\x20"+strings.Repeat("x", 32))
		}),
		shaken("cuts the answer without a goodbye", func(_ net.Conn, s *tls.Conn) {
			hello(s)
			_, _ = io.WriteString(s, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"ActionStatus\":\"OK\",\"ErrorCode\":0,")
		}),
		shaken("is silent after the handshake", func(_ net.Conn, s *tls.Conn) { _, _ = io.Copy(io.Discard, s) }),
	}
}

// hello reads what the other side says first.
func hello(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
