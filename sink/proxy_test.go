package sink

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"friendmigrate/migrate"
)

const proxyPassword = "pa55/w@rd"

// through makes a client that calls endpoint through a proxy with a user and a password.
func through(t *testing.T, endpoint, proxy string, log Logger) *Client {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("user", proxyPassword)
	return testClient(t, endpoint, func(config *Config) {
		config.Proxy, config.Log, config.RootCAs, config.AllowPlainHTTP = http.ProxyURL(u), log, sharedCA().pool, true
	})
}

// refusing is a proxy that answers every request with a status, and repeats what it was sent.
func refusing(t *testing.T, status int) string {
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"%s user:%s http://user:%s@x %s"}`, r.header.Get("Proxy-Authorization"), proxyPassword, proxyPassword, r.sig)
	}}
	return s.serve(t)
}

// TestProxyThatRefuses is named with its status, for https:// and http://, and neither its password
// nor a signature is seen.
func TestProxyThatRefuses(t *testing.T) {
	for _, endpoint := range []string{"https://chat.invalid", "http://chat.invalid"} {
		for status, want := range map[int]migrate.Verdict{
			407: migrate.VerdictSuspect, 403: migrate.VerdictSuspect, 400: migrate.VerdictSuspect, 502: migrate.VerdictRetry, 503: migrate.VerdictRetry, 504: migrate.VerdictRetry,
		} {
			proxy, plain := refusing(t, status), strings.HasPrefix(endpoint, "http:")
			log, logged := spy()
			c := through(t, endpoint, proxy, log)
			_, err := c.Import(t.Context(), "A", edgesTo("B"))
			e := callError(t, err)
			code := status
			if want == migrate.VerdictRetry && !plain {
				code = 0 // the service has not answered
			}
			if e.Verdict != want || e.Code != code || e.Uncertain != plain || (e.Limit == 1) != (want == migrate.VerdictSuspect) || (e.Hint != "") != (want == migrate.VerdictSuspect) {
				t.Errorf("%s %d: %+v", endpoint, status, e)
			}
			host := strings.TrimPrefix(proxy, "http://")
			if !strings.Contains(e.Info, fmt.Sprint("HTTP ", status)) || !strings.Contains(e.Info, "the proxy "+host) {
				t.Errorf("%s %d: %q", endpoint, status, e.Info)
			}
			if want == migrate.VerdictSuspect && !strings.Contains(e.Hint, "HTTPS_PROXY") {
				t.Errorf("%s %d: hint %q", endpoint, status, e.Hint)
			}
			printed := fmt.Sprintf("%v %+v", err, *e)
			searchForSecrets(t, c, logged.String(), printed, e)
			for _, secret := range []string{proxyPassword, url.QueryEscape(proxyPassword), "dXNlcjpwYTU1L3dAcmQ="} {
				if strings.Contains(logged.String()+printed, secret) {
					t.Errorf("%s %d: the password is in %s %s", endpoint, status, logged, printed)
				}
			}
		}
	}
}

// TestNoWayToTheService: each says what is in the way, and none shows a secret.
func TestNoWayToTheService(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	for name, test := range map[string]struct{ endpoint, proxy, kind, want string }{
		"port that nobody listens on":     {"http://" + closed, "", "refused", closed},
		"the same with TLS":               {"https://" + closed, "", "refused", closed},
		"host that does not resolve":      {"https://chat.invalid", "", "dns", "chat.invalid"},
		"proxy that nobody listens on":    {"https://chat.invalid", "http://" + closed, "refused", "proxyconnect tcp: dial tcp " + closed},
		"proxy that does not resolve":     {"https://chat.invalid", "http://proxy.invalid:3128", "dns", "proxy.invalid"},
		"SOCKS that nobody listens on":    {"https://chat.invalid", "socks5://" + closed, "refused", closed},
		"plain HTTP through a lost proxy": {"http://chat.invalid", "http://" + closed, "refused", closed},
	} {
		log, logged := spy()
		var c *Client
		if test.proxy != "" {
			c = through(t, test.endpoint, test.proxy, log)
		} else {
			c = testClient(t, test.endpoint, func(config *Config) { config.Log = log })
		}
		_, err := c.Import(t.Context(), "A", edgesTo("B"))
		e := callError(t, err)
		if e.Verdict != migrate.VerdictRetry || e.Answered || e.Uncertain || !strings.Contains(e.Info, test.want) {
			t.Errorf("%s: %+v", name, e)
		}
		if stats := c.Stats(); stats.Calls[0].Result != test.kind {
			t.Errorf("%s: counted as %v", name, stats.Calls)
		}
		searchForSecrets(t, c, logged.String(), fmt.Sprintf("%v %+v", err, *e), e)
		if strings.Contains(logged.String()+e.Info, proxyPassword) {
			t.Errorf("%s: the password is in %s %s", name, logged, e.Info)
		}
	}
}

// TestProxyThatSaysNothing is named, and no call outlives its timeout.
func TestProxyThatSaysNothing(t *testing.T) {
	f := fault{serve: hang("")}
	proxy := f.endpoint(t)
	c := through(t, "https://chat.invalid", proxy, nil)
	c.timeout = 100 * time.Millisecond
	_, err := c.Import(t.Context(), "A", edgesTo("B"))
	want := "no connection through the proxy " + strings.TrimPrefix(proxy, "http://") + " within 100ms"
	if e := callError(t, err); e.Verdict != migrate.VerdictRetry || e.Uncertain || !strings.Contains(e.Info, want) {
		t.Errorf("%+v", e)
	}
}

// TestHTTPAndTLSAreToldApart: each is spoken to the other's port.
func TestHTTPAndTLSAreToldApart(t *testing.T) {
	for name, test := range map[string]struct {
		fault
		verdict migrate.Verdict
		want    string
	}{
		"TLS to a plain port": {fault{https: true, serve: raw("")}, migrate.VerdictRetry, "the service answers in plain HTTP, but the endpoint begins with https://"},
		"HTTP to a TLS port": {fault{serve: func(conn net.Conn, _ *http.Request) {
			_, _ = conn.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) // the alert that a server sends which does not know TLS by its first bytes
		}}, migrate.VerdictRetry, "the service answers in TLS, but the endpoint begins with http://"},
		"HTTP to Go's TLS port": {fault{serve: reply("400 Bad Request", "", "Client sent an HTTP request to an HTTPS server.\n")}, migrate.VerdictSuspect, "HTTP 400 Bad Request"},
	} {
		c := testClient(t, test.endpoint(t), nil)
		_, err := c.Import(t.Context(), "A", edgesTo("B"))
		e := callError(t, err)
		if e.Verdict != test.verdict || !strings.Contains(e.Info, test.want) || test.verdict == migrate.VerdictSuspect && !strings.Contains(e.Hint, "https://") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestTheOtherSchemeIsNamed: servers as they are in the world, on loopback. What the user reads
// names the setting and the scheme that it has to have.
func TestTheOtherSchemeIsNamed(t *testing.T) {
	serve := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(goodBody)) })
	secure, plain := httptest.NewUnstartedServer(serve), httptest.NewServer(serve)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	defer plain.Close()
	for name, test := range map[string]struct{ endpoint, want, never string }{
		"http:// to a TLS port":    {"http" + strings.TrimPrefix(secure.URL, "https"), "--endpoint has to begin with https://", "plain HTTP"},
		"https:// to a plain port": {"https" + strings.TrimPrefix(plain.URL, "http"), "give --endpoint the port that speaks TLS, or http://", "answers in TLS"},
	} {
		_, err := testClient(t, test.endpoint, nil).Import(t.Context(), "A", edgesTo("B"))
		e := callError(t, err)
		if said := e.Info + "; " + e.Hint; !strings.Contains(said, test.want) || strings.Contains(said, test.never) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestProxyOverTLS: its handshake is not taken for an answer of the service.
func TestProxyOverTLS(t *testing.T) {
	f := fault{https: true, tls: trusted("127.0.0.1", time.Hour), serve: reply("200 OK", "", goodBody)}
	c := through(t, "http://chat.invalid", f.endpoint(t), nil)
	if outcomes, err := c.Import(t.Context(), "A", edgesTo("B")); err != nil || kinds(outcomes) != "imported" {
		t.Error(kinds(outcomes), err)
	}
}

// TestProxyThatCannotBeRead ends before any call, and is not shown.
func TestProxyThatCannotBeRead(t *testing.T) {
	_, err := New(Config{
		Endpoint: "https://chat.invalid", SDKAppID: testApp, Identifier: testAdmin, Key: StaticKey(NewSecret(testKey)), Rate: 1, Workers: 1,
		Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("http://user:" + proxyPassword) },
	})
	if err == nil || strings.Contains(err.Error(), proxyPassword) {
		t.Error(err)
	}
}
