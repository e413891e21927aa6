package doctor

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
	"friendmigrate/source/accountlist"
)

const (
	testApp = 1400000042
	testKey = "4f6c2e0b9a7d4a3f8e1c5b0d7f9a2e6c4b8d1f3a5c7e9b0d2f4a6c8e0b1d3f5a"
)

// serve serves a simulated app and gives a client for it.
func serve(t *testing.T, c simulator.Config) (*simulator.Server, *sink.Client) {
	t.Helper()
	c.SDKAppID, c.Key = testApp, testKey
	s := simulator.New(c)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client, err := sink.New(sink.Config{Endpoint: server.URL, SDKAppID: testApp, Identifier: "administrator", Key: sink.StaticKey(sink.NewSecret(testKey)), Rate: sink.Unpaced, Workers: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return s, client
}

// words are the checks as "name:level ...".
func words(checks []Check) string {
	var list []string
	for _, c := range checks {
		list = append(list, c.Name+":"+string(c.Level))
	}
	return strings.Join(list, " ")
}

// TestTheWayThere: a wrong clock is named although the signature is refused.
func TestTheWayThere(t *testing.T) {
	date := ""
	answers := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if date != "" {
			w.Header()["Date"] = []string{date}
		}
		_, _ = w.Write([]byte(`{"ActionStatus":"FAIL","ErrorCode":70009,"ErrorInfo":"x"}`))
	})
	secure, plain := httptest.NewUnstartedServer(answers), httptest.NewServer(answers)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	defer plain.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) }))
	defer refusing.Close()
	hour := func(ahead time.Duration) string {
		return time.Now().Add(ahead * time.Hour).UTC().Format(http.TimeFormat)
	}
	for _, c := range []struct {
		name, endpoint, ca, proxy, date string
		want                            string
		code                            exit.Code
	}{
		{"sound", secure.URL, ca, "", "", "connection:ok clock:ok", exit.Done},
		{"unknown CA", secure.URL, "", "", "", "connection:failed clock:skipped", exit.Refused},
		{"wrong host", strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), ca, "", "", "connection:failed clock:skipped", exit.Refused},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), "", "", "", "connection:failed clock:skipped", exit.Unfinished},
		{"plain", plain.URL, "", "", "", "connection:warning clock:ok", exit.Done},
		{"clock behind", secure.URL, ca, "", hour(1), "connection:ok clock:warning", exit.Done},
		{"clock ahead", secure.URL, ca, "", hour(-1), "connection:ok clock:warning", exit.Done},
		{"no clock", secure.URL, ca, "", "now", "connection:ok clock:skipped", exit.Done},
		{"nobody there", "http://" + nobody.Addr().String(), "", "", "", "connection:failed clock:skipped", exit.Unfinished},
		{"proxy", secure.URL, ca, refusing.URL, "", "connection:failed clock:skipped", exit.Refused},
		{"no proxy there", secure.URL, ca, "http://" + nobody.Addr().String(), "", "connection:failed clock:skipped", exit.Unfinished},
	} {
		t.Run(c.name, func(t *testing.T) {
			date = c.date
			config := sink.Config{Endpoint: c.endpoint, SDKAppID: testApp, Identifier: "administrator", Key: sink.StaticKey(sink.NewSecret(testKey)), Rate: sink.Unpaced, Workers: 1, CAFile: c.ca, Timeout: 5 * time.Second}
			if c.proxy != "" {
				config.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(c.proxy) }
			}
			client, err := sink.New(config)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			first := client.Probe(t.Context())
			checks := Reach(c.endpoint, client.Contact(), first)
			if words(checks) != c.want || Code(checks) != c.code {
				t.Errorf("%s, code %d; want %s, code %d\n%+v", words(checks), Code(checks), c.want, c.code, checks)
			}
			for _, check := range checks {
				if check.Saw == "" || (check.Level == Failed || check.Level == Warning) && check.Fix == "" {
					t.Errorf("%s says nothing: %+v", check.Name, check)
				}
			}
		})
	}
}

func TestEachAnswerIsAboutTheRightThing(t *testing.T) {
	fatal := func(code int) error {
		c, _ := sink.LookupCode(code)
		return &migrate.CallError{Verdict: c.Call, Code: code, Info: "x", Answered: true, Hint: c.Advice}
	}
	passing := &migrate.CallError{Verdict: migrate.VerdictRetry, Info: "no answer"}
	const fine = "credentials:ok admin right:ok region:ok latency:ok throttling:ok"
	for _, c := range []struct {
		name string
		call func(n int) error
		want string
		code exit.Code
	}{
		{"all is well", func(int) error { return nil }, fine, exit.Done},
		{"key", func(int) error { return fatal(70009) }, "credentials:failed", exit.Refused},
		{"admin", func(int) error { return fatal(60010) }, "admin right:failed", exit.Refused},
		{"region", func(int) error { return fatal(60026) }, "region:failed", exit.Refused},
		{"quota", func(int) error { return fatal(60020) }, "quota:failed", exit.Refused},
		{"dead", func(int) error { return passing }, "answer:failed", exit.Unfinished},
		{"nobody answers in time", func(int) error { time.Sleep(10 * time.Second); return passing }, "answer:failed", exit.Unfinished},
		{"first calls lost", func(n int) error {
			if n < 4 {
				return passing
			}
			return nil
		}, fine, exit.Done},
		{"some lost", func(n int) error {
			if n%5 == 2 {
				return passing
			}
			return nil
		}, "credentials:ok admin right:ok region:ok latency:warning throttling:ok", exit.Done},
		{"throttled", func(n int) error {
			if n%3 == 0 {
				return &migrate.CallError{Verdict: migrate.VerdictThrottle, Code: 60007, Answered: true}
			}
			return nil
		}, "credentials:ok admin right:ok region:ok latency:ok throttling:warning", exit.Done},
		{"slow", func(int) error { time.Sleep(2 * time.Second); return nil }, "credentials:ok admin right:ok region:ok latency:warning throttling:ok", exit.Done},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, begun := 0, time.Now()
				call := func(context.Context) error { n++; return c.call(n) }
				checks := Service(t.Context(), call, call(t.Context()), 200, 300)
				if words(checks) != c.want || Code(checks) != c.code {
					t.Errorf("%s, code %d; want %s, code %d", words(checks), Code(checks), c.want, c.code)
				}
				if took := time.Since(begun); c.code == exit.Unfinished && took > 30*time.Second {
					t.Errorf("it took %s to say that nobody answers", took)
				}
				if c.code == exit.Refused && n != 1 {
					t.Errorf("%d calls with a signature that is refused: that locks the app", n)
				}
			})
		})
	}
}

func TestMissingAccountsAreListedInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	var ids, want []string
	for i := range 2500 {
		id := fmt.Sprintf("u%d", i)
		if ids = append(ids, id); i%17 == 3 {
			want = append(want, id)
		}
	}
	ids = append(ids, "u3") // again
	if err := os.WriteFile(filepath.Join(dir, "ids"), []byte(strings.Join(ids, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	s, client := serve(t, simulator.Config{App: simulator.App{Accounts: func(id string) bool {
		n := 0
		_, err := fmt.Sscanf(id, "u%d", &n)
		return err != nil || n%17 != 3
	}}})
	file, err := accountlist.Open(filepath.Join(dir, "ids"), nil)
	if err != nil {
		t.Fatal(err)
	}
	lost := false
	a := &Accounts{List: file, Sample: 10_000, Seed: 1, Check: func(ctx context.Context, ids []string) ([]sink.Presence, error) {
		list, err := client.Accounts(ctx, ids)
		if !lost { // an answer without an item
			lost, list[0] = true, sink.Presence{Again: true}
		}
		return list, err
	}}
	x, err := a.Run(t.Context())
	path := filepath.Join(dir, "missing")
	if err := errors.Join(err, x.write(disk.OS{}, path)); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(list)); got != folder.AccountsHeader+"\n"+strings.Join(want, "\n") {
		t.Errorf("%s", got)
	}
	if x.Named != 2500 || x.Asked != 2500 || x.Exist != 2500-147 || x.Missing != 147 || s.Stats().Calls != 25+1 {
		t.Errorf("%+v in %d calls", x, s.Stats().Calls)
	}
	a.Sample = 300
	if x, err = a.Run(t.Context()); err != nil || x.Asked != 300 || x.Exist+x.Missing != 300 || x.BadAtMost == 0 {
		t.Errorf("sample: %+v %v", x, err)
	}
	failed, answered := errors.New("no answer"), false
	a.Check = func(_ context.Context, ids []string) ([]sink.Presence, error) {
		if answered = !answered; !answered {
			return nil, failed
		}
		return make([]sink.Presence, len(ids)), nil // no verdict on any
	}
	if x, err = a.Run(t.Context()); !errors.Is(err, failed) || x.Asked != 200 || x.Unknown != 200 {
		t.Errorf("without a verdict, and stopped: %+v %v", x, err)
	}
	a.Sample, answered = 100, false
	if x, err = a.Run(t.Context()); err != nil || x.Unknown != 100 || x.BadAtMost != 1 {
		t.Errorf("without a verdict: %+v %v", x, err)
	}
}

// friendsOf is a list with its fields, in no order.
func friendsOf(s *simulator.Server, from string) map[string]simulator.Friend {
	list := map[string]simulator.Friend{}
	for who, f := range s.Graph {
		if who == from {
			list[f.To] = f
		}
	}
	return list
}

// TestAProbeFindsOutAndPutsBack, whatever the app does.
func TestAProbeFindsOutAndPutsBack(t *testing.T) {
	old := simulator.Friend{To: "to", Remark: "old", Groups: []string{"g", "h"}, AddSource: "AddSource_Type_Old", AddWording: "w", AddTime: 77, Custom: []simulator.Custom{{Tag: "Tag_SNS_Custom_N", Value: "7", Integer: true}}}
	for _, c := range []struct {
		name     string
		readings simulator.Readings
		want     string
	}{
		{"as documented", simulator.Readings{}, "[0] 5 0 / [30001] / 2 [0 0] last"},
		{"keeps fields", simulator.Readings{KeepFields: true, Reimport: simulator.ReimportAlready}, "[30015] 0 5 / [30001] / 2 [0 30015] first"},
		{"says exists", simulator.Readings{KeepFields: true, Reimport: simulator.ReimportExist, SelfTo: simulator.SelfAccept, DuplicateTo: simulator.DuplicateOnce}, "[30001] 0 5 / [0] / 1 [0] last"},
		{"refuses calls", simulator.Readings{SelfTo: simulator.SelfCall, DuplicateTo: simulator.DuplicateCall}, "[0] 5 0 / 30001 / 0 [] neither"},
		{"refuses items", simulator.Readings{DuplicateTo: simulator.DuplicateItem}, "[0] 5 0 / [30001] / 2 [0 30001] first"},
	} {
		for _, there := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, friend %t", c.name, there), func(t *testing.T) {
				c.readings.PageSize = 3
				s, client := serve(t, simulator.Config{Readings: c.readings})
				for i := range 7 {
					s.Put("from", simulator.Friend{To: fmt.Sprint("other", i), AddSource: "AddSource_Type_X"})
				}
				if there {
					s.Put("from", old)
				}
				before := friendsOf(s, "from")
				said := 0
				p := &Probe{Service: client, From: "from", To: "to", Say: func(string) { said++ }}
				f, err := p.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				self := fmt.Sprint(f.Self.Codes)
				if f.Self.Whole != 0 {
					self = fmt.Sprint(f.Self.Whole)
				}
				got := fmt.Sprintf("%v %d %d / %s / %d %v %s", f.Reimport.Codes, len(f.Overwritten), len(f.Kept), self, f.Items, f.Duplicate.Codes, f.Wins)
				if strings.HasPrefix(c.want, "[0] 5") && there && c.readings.KeepFields {
					t.Fatal("no such case")
				}
				if got != c.want || f.PageSize != 3 {
					t.Errorf("%s, want %s; page size %d", got, c.want, f.PageSize)
				}
				if after := friendsOf(s, "from"); !f.Restored || !reflect.DeepEqual(before, after) {
					t.Errorf("restored %t: %v, was %v; %v", f.Restored, after, before, f.Left)
				}
				if said < 4 {
					t.Errorf("it said %d things", said)
				}
				var text strings.Builder
				if f.Write(&text); !strings.Contains(text.String(), "3 friends") {
					t.Error(text.String())
				}
			})
		}
	}
}

// TestAProbeThatFailsPutsBack what it has changed before.
func TestAProbeThatFailsPutsBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, client := serve(t, simulator.Config{})
	p := &Probe{Service: client, From: "from", To: "to", Say: func(line string) {
		if strings.HasPrefix(line, "importing TO twice") {
			cancel()
		}
	}}
	if _, err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if list := friendsOf(s, "from"); len(list) != 0 {
		t.Errorf("left: %v", list)
	}
	s, client = serve(t, simulator.Config{App: simulator.App{Missing: simulator.NewSet("to")}})
	p.Service = client
	if _, err := p.Run(t.Context()); err == nil || s.Stats().ByAPI["friend_import"] > 0 {
		t.Errorf("an account that does not exist: %v", err)
	}
}
