package sink

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

func callError(t *testing.T, err error) *migrate.CallError {
	t.Helper()
	var e *migrate.CallError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no CallError", err)
	}
	return e
}

func TestRequestOnTheWire(t *testing.T) {
	s := &service{}
	c := testClient(t, s.serve(t), func(config *Config) { config.Identifier = "ad min+&=ü" })
	seen := map[string]bool{}
	for range 5 {
		outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
		if err != nil || kinds(outcomes) != "imported" {
			t.Fatal(kinds(outcomes), err)
		}
	}
	for _, r := range s.received() {
		if r.method != "POST" || r.path != "/v4/sns/friend_import" || r.proto != "HTTP/1.1" {
			t.Errorf("%s %s %s", r.method, r.path, r.proto)
		}
		if len(r.query) != 5 || r.query["sdkappid"][0] != "1400000000" || r.query["identifier"][0] != "ad min+&=ü" || r.query["contenttype"][0] != "json" {
			t.Errorf("query %v", r.query)
		}
		random := r.query["random"][0]
		var n uint64
		if _, err := fmt.Sscan(random, &n); err != nil || n > 1<<32-1 || seen[random] {
			t.Errorf("random %q", random)
		}
		seen[random] = true
		if r.header.Get("Content-Type") != "application/json" || r.header.Get("User-Agent") != "friendmigrate" {
			t.Errorf("headers %v", r.header)
		}
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "Accept-Encoding", "Referer", "Cookie"} {
			if r.header.Get(name) != "" {
				t.Errorf("header %s: %s", name, r.header.Get(name))
			}
		}
		if strings.ContainsAny(r.sig, "+/=% ") || r.sig == "" {
			t.Errorf("usersig %q", r.sig)
		}
	}
}

func TestCodesOfCalls(t *testing.T) {
	s := &service{}
	url := s.serve(t)
	for verdict, codes := range contract() {
		for _, code := range numbers(t, codes) {
			if known, _ := LookupCode(code); known.SignAgain || known.signAgainIfRekeyed || code == AccountUnknownToLogin || code == WrongApp {
				continue // more than one call: tests of their own
			}
			s.answer = func(_ int, _ request, w http.ResponseWriter) { fail(w, code) }
			before := len(s.received())
			c := testClient(t, url, nil)
			outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
			e := callError(t, err)
			if e.Verdict != verdict || e.Code != code || e.Info != fmt.Sprint("text of ", code) || !e.Answered || outcomes != nil {
				t.Errorf("%d: %+v %v", code, e, outcomes)
			}
			if (verdict == migrate.VerdictFatal) != (e.Hint != "") {
				t.Errorf("%d: hint %q", code, e.Hint)
			}
			if n := len(s.received()) - before; n != 1 {
				t.Errorf("%d: %d requests", code, n)
			}
			s.answer = nil // the verdict was about that call: the next one has its own
			if _, err := c.Import(t.Context(), "Z", edgesTo("B")); verdict == migrate.VerdictFatal && err != nil {
				t.Errorf("%d: the next call: %v", code, err)
			}
		}
	}
	s.answer = func(_ int, _ request, w http.ResponseWriter) { fail(w, 60023) }
	_, err := testClient(t, url, nil).Import(t.Context(), "A", edgesTo("B"))
	if e := callError(t, err); e.Verdict != migrate.VerdictUnknown || !e.Answered {
		t.Errorf("unknown: %+v", e)
	}
}

func TestOutcomesGoByAccount(t *testing.T) {
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		fmt.Fprint(w, `{"ResultItem":[`+resultItem("e", 30007)+","+resultItem("z", 0)+","+resultItem("d", 30015)+","+resultItem("c", 30010)+","+
			`{"To_Account":"f","ResultCode":30001,"ResultInfo":"Err_SNS_FriendImport_Friend_Exist"},`+resultItem("g", 0)+","+resultItem("g", 30001)+","+resultItem("a", 0)+","+
			`{"To_Account":"h","ResultCode":30001,"ResultInfo":"Err_SNS_FriendImport_Already_Exist"},{"To_Account":"i","ResultCode":30010,"ResultInfo":"Already_Exist"}],`+okTail)
	}}
	c := testClient(t, s.serve(t), nil)
	outcomes, err := c.Import(t.Context(), "A", edgesTo("a", "b", "c", "d", "e", "f", "g", "h", "i"))
	want := "imported again? failed:30010 already:30015 again?:30007 already:30001 again? already:30001 failed:30010"
	if err != nil || kinds(outcomes) != want {
		t.Errorf("%s, want %s; %v", kinds(outcomes), want, err)
	}
	if outcomes[2].Info != "x30010" {
		t.Errorf("text %q", outcomes[2].Info)
	}
	if s := c.Stats(); c.counters.lastWarned.IsZero() || s.Attempts != 1 {
		t.Errorf("stats %+v, last warned %v", s, c.counters.lastWarned)
	}
}

// TestWrongApp: 30002 on everything means a wrong --sdk-app-id as long as nothing else has
// happened, which the engine knows.
func TestWrongApp(t *testing.T) {
	whole := false
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		if whole {
			fail(w, 30002)
			return
		}
		itemsOf(w, r, func(to string) int {
			if to == "good" {
				return 0
			}
			return 30002
		})
	}}
	c := testClient(t, s.serve(t), nil)
	for _, whole = range []bool{false, true} {
		outcomes, err := c.Import(t.Context(), "A", edgesTo("a", "b"))
		e := callError(t, err)
		if outcomes != nil || e.Verdict != migrate.VerdictSuspect || e.Limit != 20 || !e.Answered || e.Uncertain || e.Hint == "" {
			t.Errorf("%s %+v", kinds(outcomes), e)
		}
	}
	whole = false
	if outcomes, err := c.Import(t.Context(), "A", edgesTo("a", "good")); err != nil || kinds(outcomes) != "failed:30002 imported" {
		t.Errorf("%s %v", kinds(outcomes), err)
	}
}
