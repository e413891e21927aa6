package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"friendmigrate/migrate"
)

// spy is a log that keeps everything.
func spy() (*slog.Logger, *lockedBuffer) {
	b := new(lockedBuffer)
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})), b
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestFaults: each fault is taken for what it is, no call outlives its timeout by more than a
// tenth, nothing is a false success, and no secret leaves.
func TestFaults(t *testing.T) {
	faults := allFaults()
	if len(faults) < 60 {
		t.Errorf("only %d faults", len(faults))
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			patience := faultTime
			if f.kind == "oversize" {
				patience *= 5 // the race detector makes 64 MiB slow
			}
			log, logged := spy()
			c := testClient(t, f.endpoint(t), func(config *Config) {
				config.Timeout, config.RootCAs, config.Log = patience, sharedCA().pool, log
				if f.dial != nil {
					config.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx) }
				}
			})
			start := time.Now()
			outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
			if took := time.Since(start); took > patience*11/10 {
				t.Errorf("it took %v", took)
			}
			if outcomes != nil {
				t.Fatalf("outcomes %s", kinds(outcomes))
			}
			e := callError(t, err)
			if e.Verdict != f.verdict || e.Uncertain != f.uncertain || e.Answered || e.Info == "" {
				t.Errorf("%+v, want verdict %d, uncertain %v", e, f.verdict, f.uncertain)
			}
			if (e.Limit == 1) != (f.verdict == migrate.VerdictSuspect) || (e.Hint != "") != (f.verdict == migrate.VerdictSuspect) {
				t.Errorf("limit %d, hint %q", e.Limit, e.Hint)
			}
			stats := c.Stats()
			if len(stats.Calls) != 1 || stats.Calls[0] != (CallCount{friendImport, f.kind, 1}) {
				t.Errorf("counted as %v, want %s: %v", stats.Calls, f.kind, err)
			}
			searchForSecrets(t, c, logged.String(), fmt.Sprintf("%v %+v %#v", err, e, *e), e, stats, c.Pace())
		})
	}
}

// searchForSecrets looks for the key and the signature in texts and in the JSON of values.
func searchForSecrets(t *testing.T, c *Client, logged, printed string, values ...any) {
	t.Helper()
	if !strings.Contains(logged, "level=DEBUG") {
		t.Error("nothing was logged, so the search shows nothing")
	}
	text := logged + printed
	for _, v := range values {
		j, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		text += string(j) + fmt.Sprintf("%v %+v", v, v)
	}
	sig, key := c.signer.secrets()
	for _, secret := range []string{sig, key, sig[:60], key[:16], "SECRET"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is in %s", text)
		}
	}
}

// TestSecretsThatAreSentBack: a service, or something on the way, repeats what it was sent.
func TestSecretsThatAreSentBack(t *testing.T) {
	echo := map[string]func(w http.ResponseWriter, r request){
		"ErrorInfo": func(w http.ResponseWriter, r request) {
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":70009,"ErrorInfo":"bad usersig=%s&x"}`, r.sig)
		},
		"bare": func(w http.ResponseWriter, r request) {
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"%s"}`, r.sig)
		},
		"part": func(w http.ResponseWriter, r request) {
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"%s"}`, r.sig[:100])
		},
		"long": func(w http.ResponseWriter, r request) {
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"%s%s"}`, strings.Repeat("x", 450), r.sig)
		},
		"key": func(w http.ResponseWriter, _ request) {
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":60003,"ErrorInfo":"key %s"}`, testKey)
		},
		"ResultInfo": func(w http.ResponseWriter, r request) {
			fmt.Fprintf(w, `{"ResultItem":[{"To_Account":"B","ResultCode":30003,"ResultInfo":"x %s"}],%s`, r.sig, okTail)
		},
		"ActionStatus": func(w http.ResponseWriter, r request) { fmt.Fprintf(w, `{"ActionStatus":"%s","ErrorCode":0}`, r.sig) },
		"502": func(w http.ResponseWriter, r request) {
			w.WriteHeader(502)
			fmt.Fprintf(w, `{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"%s"}`, r.sig)
		},
		"HTML": func(w http.ResponseWriter, r request) { fmt.Fprintf(w, `<a href="/?usersig=%s">`, r.sig) },
		"Location": func(w http.ResponseWriter, r request) {
			w.Header().Set("Location", "https://x/?usersig="+r.sig)
			w.WriteHeader(302)
		},
		"status line": func(w http.ResponseWriter, r request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprintf(conn, "HTTP/1.1 abc %s\r\n\r\n", r.sig)
			_ = conn.Close()
		},
		"header": func(w http.ResponseWriter, r request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", r.sig)
			_ = conn.Close()
		},
	}
	for name, answer := range echo {
		t.Run(name, func(t *testing.T) {
			log, logged := spy()
			s := &service{answer: func(_ int, r request, w http.ResponseWriter) { answer(w, r) }}
			c := testClient(t, s.serve(t), func(config *Config) { config.Log = log })
			outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
			searchForSecrets(t, c, logged.String(), fmt.Sprintf("%v %+v %+v", err, err, outcomes), outcomes, c.Stats(), c.Pace())
		})
	}
}

// TestPasswordOfAProxyStaysHidden in what errors say about it.
func TestPasswordOfAProxyStaysHidden(t *testing.T) {
	c := testClient(t, "http://127.0.0.1:1", nil)
	got := c.scrub(`proxyconnect tcp: invalid address "http://user:pa55word@proxy:3128/"`)
	if strings.Contains(got, "pa55word") || !strings.Contains(got, "proxy:3128") {
		t.Error(got)
	}
}

// TestTLS: a certificate that is trusted works, from a file too, over TLS 1.2 at least and
// HTTP/1.1.
func TestTLS(t *testing.T) {
	f := fault{https: true, tls: trusted("127.0.0.1", time.Hour), serve: reply("200 OK", "", goodBody)}
	c := testClient(t, f.endpoint(t), func(config *Config) { config.RootCAs = sharedCA().pool })
	if outcomes, err := c.Import(t.Context(), "A", edgesTo("B")); err != nil || kinds(outcomes) != "imported" {
		t.Error(kinds(outcomes), err)
	}
}
