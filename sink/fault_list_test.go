package sink

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"friendmigrate/migrate"
)

// fault is a way in which a call can go wrong below the API, and what it has to be taken for.
type fault struct {
	name      string
	serve     func(conn net.Conn, r *http.Request) // answers one request by hand; nil: see dial
	tls       func(t *testing.T) *tls.Config       // of the service; nil: plain
	dial      func(ctx context.Context) (net.Conn, error)
	https     bool
	verdict   migrate.Verdict
	uncertain bool
	kind      string
}

const (
	goodBody  = `{"ResultItem":[{"To_Account":"B","ResultCode":0,"ResultInfo":""}],` + okTail
	faultTime = 3 * time.Second
)

// reply answers with a status line, headers and a body.
func reply(status string, headers string, body string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) {
		fmt.Fprintf(conn, "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, headers, len(body), body)
	}
}

// raw writes text as it is and closes.
func raw(text string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, text) }
}

// hang writes text and then nothing more.
func hang(text string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

func reset(text string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
}

func drip(conn net.Conn, _ *http.Request) {
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(goodBody))
	for i := range len(goodBody) {
		if _, err := io.WriteString(conn, goodBody[i:i+1]); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// flood sends zeros without end.
func flood(headers string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) {
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n", headers)
		block := bytes.Repeat([]byte(" "), 1<<16)
		for {
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
	}
}

func bomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 64<<20))
	_, _ = io.WriteString(w, goodBody)
	_ = w.Close()
	return b.String()
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func transportFaults() []fault {
	retry := migrate.VerdictRetry
	half := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(goodBody), goodBody[:len(goodBody)/2])
	return []fault{
		{name: "name does not resolve", dial: func(context.Context) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
		}, verdict: retry, kind: "dns"},
		{name: "no more files", dial: func(context.Context) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		}, verdict: retry, kind: "files"},
		{name: "connection refused", dial: dialClosed, verdict: retry, kind: "refused"},
		{name: "connecting hangs", dial: func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, verdict: retry, kind: "timeout"},
		{name: "closed without an answer", serve: raw(""), verdict: retry, uncertain: true, kind: "cut"},
		{name: "reset without an answer", serve: reset(""), verdict: retry, uncertain: true, kind: "reset"},
		{name: "reset in the body", serve: reset(half), verdict: retry, uncertain: true, kind: "reset"},
		{name: "cut in the headers", serve: raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), verdict: retry, uncertain: true, kind: "cut"},
		{name: "cut in the body", serve: raw(half), verdict: retry, uncertain: true, kind: "cut"},
		{name: "cut in a chunk", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"), verdict: retry, uncertain: true, kind: "cut"},
		{name: "broken chunk", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}"), verdict: retry, uncertain: true, kind: "transport"},
		{name: "no answer", serve: hang(""), verdict: retry, uncertain: true, kind: "timeout"},
		{name: "stalls in the headers", serve: hang("HTTP/1.1 200 OK\r\n"), verdict: retry, uncertain: true, kind: "timeout"},
		{name: "stalls in the body", serve: hang(half), verdict: retry, uncertain: true, kind: "timeout"},
		{name: "drips", serve: drip, verdict: retry, uncertain: true, kind: "timeout"},
		{name: "no HTTP", serve: raw("SSH-2.0-OpenSSH_9.0\r\n\r\n"), verdict: retry, uncertain: true, kind: "transport"},
		{name: "two lengths", serve: raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), verdict: retry, uncertain: true, kind: "transport"},
		{name: "huge headers", serve: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), verdict: retry, uncertain: true, kind: "transport"},
		{name: "informed for ever", serve: raw(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 5000)), verdict: retry, uncertain: true, kind: "transport"},
	}
}

// dialClosed dials a port that nobody listens on.
func dialClosed(ctx context.Context) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_ = l.Close()
	return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
}

func statusFaults() (list []fault) {
	for _, status := range []int{301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 407, 410, 451} {
		body := "<html>no</html>"
		if status == http.StatusNotModified { // has none
			body = ""
		}
		list = append(list, fault{verdict: migrate.VerdictSuspect, uncertain: true, kind: fmt.Sprint("http_", status),
			serve: reply(fmt.Sprint(status, " X"), "Location: https://elsewhere.example/?usersig=SECRET\r\n", body)})
	}
	for _, status := range []int{408, 425, 500, 501, 502, 503, 504, 599, 201, 206} {
		list = append(list, fault{verdict: migrate.VerdictRetry, uncertain: true, kind: fmt.Sprint("http_", status), serve: reply(fmt.Sprint(status, " X"), "", goodBody)})
	}
	list = append(list,
		fault{verdict: migrate.VerdictHalve, kind: "http_413", serve: reply("413 X", "", "")},
		fault{verdict: migrate.VerdictThrottle, kind: "http_429", serve: reply("429 X", "", "")},
		fault{name: "502 cut in the body", verdict: migrate.VerdictRetry, uncertain: true, kind: "http_502", serve: raw("HTTP/1.1 502 X\r\nContent-Length: 99\r\n\r\n<html>")})
	for i := range list {
		if list[i].name == "" {
			list[i].name = list[i].kind
		}
	}
	return list
}

func bodyFaults() (list []fault) {
	ok := "200 OK"
	add := func(name, kind string, serve func(net.Conn, *http.Request)) {
		list = append(list, fault{name: name, serve: serve, verdict: migrate.VerdictRetry, uncertain: true, kind: kind})
	}
	for name, body := range map[string]string{
		"empty": "", "space": "  \n", "HTML": "<!DOCTYPE html><html>", "{}": "{}", "null": "null", "garbage": "\x00\x01\x02", "array": "[]", "string": `"OK"`,
		"half": goodBody[:len(goodBody)/2], "trailing": goodBody + "x", "twice": goodBody + goodBody, "BOM": "\ufeff" + goodBody,
		"no ErrorCode": `{"ActionStatus":"OK"}`, "no ActionStatus": `{"ErrorCode":0}`, "ErrorCode as text": `{"ActionStatus":"OK","ErrorCode":"0"}`,
		"OK without items": `{` + okTail, "no item of ours": `{"ResultItem":[{"To_Account":"Z","ResultCode":0}],` + okTail, "items null": `{"ResultItem":null,` + okTail,
		"empty items": `{"ResultItem":[],` + okTail, "zipped": zipped(goodBody), "not UTF-8": `{"ActionStatus":"OK` + "\xff" + `","ErrorCode":0}`, "small letters": strings.ToLower(goodBody),
	} {
		kind := "unreadable"
		if strings.Contains(name, "item") {
			kind = "0"
		}
		add("body: "+name, kind, reply(ok, "", body))
	}
	add("body: gzip that nobody asked for", "unreadable", reply(ok, "Content-Encoding: gzip\r\n", zipped(goodBody)))
	add("body: gzip bomb", "unreadable", reply(ok, "Content-Encoding: gzip\r\n", bomb()))
	add("body: 64 MiB", "oversize", reply(ok, "", strings.Repeat(" ", 64<<20)))
	add("body: without end", "oversize", flood(""))
	add("body: chunks without end", "transport", flood("Transfer-Encoding: chunked\r\n"))
	return list
}

func tlsFaults() []fault {
	good := reply("200 OK", "", goodBody)
	return []fault{
		{name: "unknown CA", https: true, serve: good, tls: func(t *testing.T) *tls.Config { return serverTLS(t, "127.0.0.1", time.Hour, nil) }, verdict: migrate.VerdictSuspect, kind: "x509"},
		{name: "wrong host", https: true, serve: good, tls: trusted("elsewhere.example", time.Hour), verdict: migrate.VerdictSuspect, kind: "x509"},
		{name: "expired certificate", https: true, serve: good, tls: trusted("127.0.0.1", -time.Hour), verdict: migrate.VerdictSuspect, kind: "x509"},
		{name: "TLS 1.1 only", https: true, serve: good, tls: func(t *testing.T) *tls.Config {
			c := trusted("127.0.0.1", time.Hour)(t)
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return c
		}, verdict: migrate.VerdictRetry, kind: "transport"},
		{name: "HTTP on the TLS port", https: true, serve: good, verdict: migrate.VerdictRetry, kind: "transport"},
		{name: "TLS handshake hangs", https: true, serve: hang(""), dial: nil, tls: func(*testing.T) *tls.Config { return nil }, verdict: migrate.VerdictRetry, kind: "timeout"},
	}
}

// testCA is the root that tests trust.
type testCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

var sharedCA = sync.OnceValue(func() *testCA {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &testCA{cert, key, pool}
})

func trusted(host string, valid time.Duration) func(*testing.T) *tls.Config {
	return func(t *testing.T) *tls.Config { return serverTLS(t, host, valid, sharedCA()) }
}

// serverTLS makes a certificate for host, by ca or by itself.
func serverTLS(t *testing.T, host string, valid time.Duration, ca *testCA) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid), DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// endpoint starts what the fault needs and returns where it is.
func (f *fault) endpoint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	if f.https {
		url = "https://" + l.Addr().String()
	}
	var config *tls.Config
	if f.tls != nil {
		config = f.tls(t)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() { f.handle(conn, config) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return url
}

func (f *fault) handle(conn net.Conn, config *tls.Config) {
	defer conn.Close()
	if f.https && f.tls != nil && config == nil { // hangs before the handshake
		f.serve(conn, nil)
		return
	}
	if config != nil {
		conn = tls.Server(conn, config)
	}
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		if f.https && config == nil {
			raw("HTTP/1.0 400 Bad Request\r\n\r\n")(conn, nil)
		}
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	f.serve(conn, r)
}

func allFaults() []fault {
	return append(append(append(transportFaults(), statusFaults()...), bodyFaults()...), tlsFaults()...)
}
