package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

func infoItem(to, relation string, code int) string {
	return fmt.Sprintf(`{"To_Account":%q,"Relation":%q,"ResultCode":%d,"ResultInfo":"x%d"}`, to, relation, code, code)
}

// TestCheckReadsTheCodeFirst: a failed item still says NoRelation.
func TestCheckReadsTheCodeFirst(t *testing.T) {
	const with, none = "CheckResult_Type_AWithB", "CheckResult_Type_NoRelation"
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		items := []string{infoItem("g", "CheckResult_Type_BWithA", 0), infoItem("f", with, 30003), infoItem("a", with, 0), infoItem("b", none, 0), infoItem("c", none, 30006),
			infoItem("e", "What", 0), infoItem("h", "CheckResult_Type_BothWay", 0), infoItem("i", with, 0), infoItem("i", none, 0)}
		fmt.Fprint(w, `{"InfoItem":[`+strings.Join(items, ",")+`],"Fail_Account":["c"],`+okTail)
	}}
	c := testClient(t, s.serve(t), nil)
	got, err := c.Check(t.Context(), "A", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"})
	want := []Presence{
		{Known: true, Exists: true}, {Known: true}, {Again: true, Code: 30006, Info: "x30006"}, {Again: true, Info: "no InfoItem"}, {Again: true, Info: "no Relation that is known"},
		{Code: 30003, Info: "x30003"}, {Known: true}, {Known: true, Exists: true}, {Again: true, Info: "contradictory InfoItems"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v\n%v", got, want, err)
	}
	if r := s.received()[0]; r.path != "/v4/sns/friend_check" || r.body != `{"From_Account":"A","To_Account":["a","b","c","d","e","f","g","h","i"],"CheckType":"CheckResult_Type_Single"}` {
		t.Errorf("%s %s", r.path, r.body)
	}
}

func TestCheckErrors(t *testing.T) {
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fail(w, 30003) }}
	c := testClient(t, s.serve(t), nil)
	_, err := c.Check(t.Context(), "A", []string{"a"})
	if e := callError(t, err); e.Verdict != migrate.VerdictRefuseAccount {
		t.Errorf("%+v", e)
	}
	s.answer = func(_ int, _ request, w http.ResponseWriter) { fmt.Fprint(w, `{"ResultItem":[],`+okTail) } // friend_import's list
	_, err = c.Check(t.Context(), "A", []string{"a"})
	if e := callError(t, err); e.Verdict != migrate.VerdictRetry || e.Answered {
		t.Errorf("%+v", e)
	}
	if _, err = c.Check(t.Context(), "A", make([]string, 1001)); callError(t, err).Verdict != migrate.VerdictHalve {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	page := `{"UserDataItem":[],"StandardSequence":1,"CustomSequence":1,"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0,` + okTail
	for body, want := range map[string]migrate.Verdict{
		page: 0,
		`{"ActionStatus":"FAIL","ErrorCode":30003,"ErrorInfo":"x"}`: 0,
		`{"ActionStatus":"FAIL","ErrorCode":70107,"ErrorInfo":"x"}`: migrate.VerdictFatal,
		`{"ActionStatus":"FAIL","ErrorCode":60010,"ErrorInfo":"x"}`: migrate.VerdictFatal,
		`{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"x"}`: migrate.VerdictRetry,
		`{"ActionStatus":"FAIL","ErrorCode":60007,"ErrorInfo":"x"}`: migrate.VerdictThrottle,
		`{}`:       migrate.VerdictRetry,
		page + "x": migrate.VerdictRetry,
		`<html>`:   migrate.VerdictRetry,
	} {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fmt.Fprint(w, body) }}
		err := testClient(t, s.serve(t), nil).Probe(t.Context())
		if want == 0 {
			if err != nil {
				t.Errorf("%s: %v", body, err)
			}
		} else if e := callError(t, err); e.Verdict != want {
			t.Errorf("%s: %+v", body, e)
		}
		if r := s.received()[0]; r.path != "/v4/sns/friend_get" || r.from != testAdmin {
			t.Errorf("%s %s", r.path, r.body)
		}
	}
	c := testClient(t, "http://127.0.0.1:1", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestOnlyMissing: one friend_check, at most one friend_import, and what was found stays found.
func TestOnlyMissing(t *testing.T) {
	const with, none = "CheckResult_Type_AWithB", "CheckResult_Type_NoRelation"
	for _, test := range []struct {
		name     string
		check    string // items of friend_check
		code     int    // of friend_import as a whole; 0: all is well
		want     string
		verdict  migrate.Verdict
		imported string // who was sent to friend_import
	}{
		{"none there", infoItem("a", none, 0) + "," + infoItem("b", none, 0), 0, "imported imported", 0, "a b"},
		{"all there", infoItem("a", with, 0) + "," + infoItem("b", with, 0), 0, "already already", 0, ""},
		{"one there", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 0, "already imported", 0, "b"},
		{"one not told", infoItem("a", none, 30006) + "," + infoItem("b", none, 0), 0, "again:30006 imported", 0, "b"},
		{"one missing", infoItem("b", none, 0), 0, "again imported", 0, "b"},
		{"one unknown account", infoItem("a", none, 30003) + "," + infoItem("b", with, 0), 0, "already? already", 0, "a"},
		{"import fails in passing", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 30006, "already again?", migrate.VerdictRetry, "b"},
		{"one not told and import fails in passing", infoItem("a", none, 30006) + "," + infoItem("b", none, 0), 30006, "again:30006 again?", migrate.VerdictRetry, "b"},
		{"one there and app looks wrong", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 30002, "already again:30002", 0, "b"},
		{"app looks wrong", infoItem("a", none, 0) + "," + infoItem("b", none, 0), 30002, "", migrate.VerdictSuspect, "a b"},
		{"list full", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 30010, "already failed:30010", 0, "b"},
		{"list full and none there", infoItem("a", none, 0) + "," + infoItem("b", none, 0), 30010, "", migrate.VerdictRefuseChunk, "a b"},
		{"parameter", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 30001, "already again:30001", 0, "b"},
		{"parameter and none there", infoItem("a", none, 0) + "," + infoItem("b", none, 0), 30001, "", migrate.VerdictHalve, "a b"},
		{"throttled", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 60007, "", migrate.VerdictThrottle, "b"},
		{"fatal", infoItem("a", with, 0) + "," + infoItem("b", none, 0), 60010, "", migrate.VerdictFatal, "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
				switch {
				case strings.HasSuffix(r.path, friendCheck):
					fmt.Fprint(w, `{"InfoItem":[`+test.check+`],`+okTail)
				case test.code != 0:
					fail(w, test.code)
				default:
					allWell(r, w)
				}
			}}
			c := testClient(t, s.serve(t), nil)
			outcomes, err := c.ImportMissing(t.Context(), "A", edgesTo("a", "b"))
			if c.AnsweredChecks() != 1 {
				t.Errorf("%d answered checks", c.AnsweredChecks())
			}
			if kinds(outcomes) != test.want {
				t.Errorf("%s, want %s", kinds(outcomes), test.want)
			}
			if test.verdict == 0 && err != nil {
				t.Error(err)
			}
			if test.verdict != 0 && callError(t, err).Verdict != test.verdict {
				t.Errorf("%+v", err)
			}
			if outcomes != nil && err != nil && callError(t, err).Uncertain {
				t.Errorf("uncertain for all edges, of which only some were sent: %+v", err)
			}
			sent := ""
			if got := s.received(); len(got) > 2 {
				t.Errorf("%d requests", len(got))
			} else if len(got) == 2 {
				sent = strings.Join(got[1].to, " ")
			}
			if sent != test.imported {
				t.Errorf("%q was imported, want %q", sent, test.imported)
			}
		})
	}
}

// TestReadsLeaveNothingUncertain, however they are lost: with --only-missing, friendships that
// existed before would look imported.
func TestReadsLeaveNothingUncertain(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"502":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"403":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) },
		"30007":    func(w http.ResponseWriter) { fail(w, 30007) },
		"nonsense": func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"no items": func(w http.ResponseWriter) { fmt.Fprint(w, "{"+okTail) },
		"cut": func(w http.ResponseWriter) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
		},
	} {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { answer(w) }}
		c := testClient(t, s.serve(t), nil)
		_, check := c.Check(t.Context(), "A", []string{"a"})
		_, page := c.Friends("A").Next(t.Context())
		_, account := c.Accounts(t.Context(), []string{"a"})
		_, missing := c.ImportMissing(t.Context(), "A", edgesTo("a"))
		for api, err := range map[string]error{friendCheck: check, friendGet: page, accountCheck: account, "--only-missing": missing} {
			if e := callError(t, err); e.Uncertain {
				t.Errorf("%s, %s: %+v", name, api, e)
			}
		}
		_, err := c.Import(t.Context(), "A", edgesTo("a"))
		if e := callError(t, err); !e.Uncertain {
			t.Errorf("%s, friend_import: %+v", name, e)
		}
	}
}
