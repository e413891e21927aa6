package sink

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// TestAccountsGoByTheirID, whatever the order of the answer; what is no answer about an id is none.
func TestAccountsGoByTheirID(t *testing.T) {
	item := func(id, status string, code int) string {
		return fmt.Sprintf(`{"UserID":%q,"ResultCode":%d,"ResultInfo":"x","AccountStatus":%q}`, id, code, status)
	}
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
		items := []string{item("d", "", 0), item("b", "NotImported", 0), item("a", "Imported", 0), item("zzz", "Imported", 0), `{"ResultCode":0}`, `7`, item("e", "NotImported", 70500), item("f", "NotImported", 70206)}
		fmt.Fprint(w, `{"ResultItem":[`+strings.Join(items, ",")+`],`+okTail)
	}}
	got, err := testClient(t, s.serve(t), nil).Accounts(t.Context(), []string{"a", "b", "c", "d", "e", "f"})
	want := []Presence{
		{Known: true, Exists: true}, {Known: true}, {Again: true, Info: "no ResultItem"}, {Again: true, Info: "no AccountStatus that is known"}, {Again: true, Code: 70500, Info: "x"}, {Code: 70206, Info: "x"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v\n%v", got, want, err)
	}
	if r := s.received()[0]; r.path != "/v4/im_open_login_svc/account_check" || r.body != `{"CheckItem":[{"UserID":"a"},{"UserID":"b"},{"UserID":"c"},{"UserID":"d"},{"UserID":"e"},{"UserID":"f"}]}` {
		t.Errorf("%s %s", r.path, r.body)
	}
}

func TestAccountsErrors(t *testing.T) {
	s := &service{answer: func(n int, _ request, w http.ResponseWriter) {
		if n == 1 {
			fmt.Fprint(w, `{"ResultItem":[],`+okTail)
			return
		}
		fail(w, 60007)
	}}
	c := testClient(t, s.serve(t), nil)
	for _, want := range []migrate.Verdict{migrate.VerdictRetry, migrate.VerdictThrottle} {
		if _, err := c.Accounts(t.Context(), []string{"a"}); callError(t, err).Verdict != want {
			t.Error(err)
		}
	}
	if _, err := c.Accounts(t.Context(), make([]string, MaxAccounts+1)); callError(t, err).Verdict != migrate.VerdictHalve {
		t.Error(err)
	}
	if _, err := c.Accounts(t.Context(), []string{"\xff"}); callError(t, err).Verdict != migrate.VerdictHalve {
		t.Error(err)
	}
}

// TestImportedAccountsAreBareIDs, and those in FailAccounts are refused. FailAccounts may be
// absent.
func TestImportedAccountsAreBareIDs(t *testing.T) {
	s := &service{answer: func(n int, _ request, w http.ResponseWriter) {
		switch n {
		case 1:
			fmt.Fprint(w, `{"FailAccounts":["b"],`+okTail)
		case 2:
			fmt.Fprint(w, `{`+okTail)
		case 3:
			fmt.Fprint(w, `{"FailAccounts":null,`+okTail)
		default:
			fail(w, map[int]int{4: 40006, 5: 70398}[n])
		}
	}}
	c := testClient(t, s.serve(t), nil)
	exists := Presence{Known: true, Exists: true}
	for _, want := range [][]Presence{{exists, {Info: "named in FailAccounts"}}, {exists, exists}, {exists, exists}} {
		if got, err := c.ImportAccounts(t.Context(), []string{"a", "b"}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v %v, want %+v", got, err, want)
		}
	}
	if r := s.received()[0]; r.path != "/v4/im_open_login_svc/multiaccount_import" || r.body != `{"Accounts":["a","b"]}` {
		t.Errorf("%s %s", r.path, r.body)
	}
	for _, want := range []migrate.Verdict{migrate.VerdictRetry, migrate.VerdictFatal} {
		if _, err := c.ImportAccounts(t.Context(), []string{"a"}); callError(t, err).Verdict != want {
			t.Error(err)
		}
	}
	if _, err := c.ImportAccounts(t.Context(), make([]string, MaxAccounts+1)); callError(t, err).Verdict != migrate.VerdictHalve {
		t.Error(err)
	}
	if got, err := c.ImportAccounts(t.Context(), nil); len(got) > 0 || err != nil || len(s.received()) != 5 {
		t.Errorf("%v %v: nobody has to be imported", got, err)
	}
}

// TestAccountsAreAskedAboutWhenFailAccountsCannotBeUsed: it would be taken for "all imported".
func TestAccountsAreAskedAboutWhenFailAccountsCannotBeUsed(t *testing.T) {
	for _, list := range []string{`["b","zzz"]`, `["B"]`, `"b"`, `{"b":1}`, `[{"UserID":"b"}]`, `[["b"]]`, `[null]`, `7`} {
		s := &service{answer: func(n int, _ request, w http.ResponseWriter) {
			if n == 1 {
				fmt.Fprint(w, `{"FailAccounts":`+list+`,`+okTail)
				return
			}
			fmt.Fprint(w, `{"ResultItem":[{"UserID":"a","ResultCode":0,"AccountStatus":"Imported"},{"UserID":"b","ResultCode":0,"AccountStatus":"NotImported"}],`+okTail)
		}}
		c := testClient(t, s.serve(t), nil)
		got, err := c.ImportAccounts(t.Context(), []string{"a", "b"})
		if want := []Presence{{Known: true, Exists: true}, {Known: true}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v %v, want %+v", list, got, err, want)
		}
		if r := s.received(); len(r) != 2 || r[1].path != "/v4/im_open_login_svc/account_check" || c.Stats().Uncertain != 1 {
			t.Errorf("%s: %d calls, %+v", list, len(r), c.Stats())
		}
	}
}

// TestItemsComeAsTheyAre: two for one account are two.
func TestItemsComeAsTheyAre(t *testing.T) {
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
		fmt.Fprint(w, `{"ResultItem":[{"To_Account":"b","ResultCode":0,"ResultInfo":""},{"To_Account":"b","ResultCode":30001,"ResultInfo":"twice"}],`+okTail)
	}}
	e := migrate.Edge{From: "a", To: "b", AddSource: "AddSource_Type_X"}
	got, err := testClient(t, s.serve(t), nil).ImportItems(t.Context(), "a", []migrate.Edge{e, e})
	if want := []Item{{"b", 0, ""}, {"b", 30001, "twice"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v %v", got, err)
	}
}

// TestEveryFatalCodeHasAConcern: a diagnosis that says "service" of a wrong key helps nobody.
func TestEveryFatalCodeHasAConcern(t *testing.T) {
	for _, c := range Codes() {
		if c.Call == migrate.VerdictFatal && c.Concern() == OtherFault && !slices.Contains([]int{60002, 60003, 60012, 60015, 60017, 60025, 70402, 70404}, c.Code) {
			t.Errorf("code %d (%s) is about nothing", c.Code, c.Advice)
		}
	}
}
