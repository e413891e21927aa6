package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
)

func sample() Report {
	id := checkpoint.Identity{Rows: 100, Rejected: 3, Duplicates: 7, Edges: 95, Added: 5}
	t := checkpoint.Totals{
		Counts: checkpoint.Counts{Imported: 70, Already: 10, AlreadyUncertain: 2, Failed: 5}, Added: checkpoint.Counts{Imported: 2, Failed: 1},
		FailedByCode: map[int]int64{30003: 5}, Pending: 10,
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	code := 4
	return Report{
		Version: Version, Program: "friendmigrate test", Account: Make(id, t),
		Job:          Job{SDKAppID: 1400000000, Target: "region singapore", Created: at, Inputs: []Input{{"<script>alert(1)</script>.csv", 12, "ab"}}, Options: map[string]string{"--map": "From_Account=<b>", "--format": ""}},
		Ending:       Ending{At: at, Code: 4, What: "stopped by SIGTERM", Hint: "friendmigrate import \x1b[2J.csv"},
		FailedByCode: []Code{{30003, 5, "the account does not exist"}}, RejectedByReason: map[string]int64{"To_Account is empty": 3},
		Runs: []Run{{Started: at, Ended: &at, Code: &code, Calls: 9, Version: "v"}, {Started: at}}, Lists: []string{"failed.csv"},
		Rehearsal: &Rehearsal{Edges: 80}, Pilot: &Pilot{Accounts: 2},
	}
}

func TestTheSumCountsAddedEdgesApart(t *testing.T) {
	a := sample().Account
	want := Account{
		Rows:  Sum{Read: 100, Imported: 68, Already: 10, AlreadyUncertain: 2, Failed: 4, Rejected: 3, Duplicate: 7, Pending: 8, Balanced: true},
		Added: Added{Edges: 5, Imported: 2, Failed: 1, Pending: 2},
	}
	if a != want {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if a.Check() != nil || a.Edges() != 95 || a.InPlace() != 80 || a.Failed() != 5 || a.Pending() != 10 {
		t.Errorf("%+v: %v", a, a.Check())
	}
}

func TestASumThatDoesNotBalanceIsSaid(t *testing.T) {
	for name, change := range map[string]func(*checkpoint.Identity, *checkpoint.Totals){
		"a lost row":          func(id *checkpoint.Identity, _ *checkpoint.Totals) { id.Rows++ },
		"an invented outcome": func(_ *checkpoint.Identity, t *checkpoint.Totals) { t.Imported++ },
		"a negative count":    func(_ *checkpoint.Identity, t *checkpoint.Totals) { t.Imported, t.Pending = 12, -2 },
	} {
		id, totals := checkpoint.Identity{Rows: 10, Edges: 10}, checkpoint.Totals{Counts: checkpoint.Counts{Imported: 4}, Pending: 6}
		change(&id, &totals)
		a := Make(id, totals)
		if a.Rows.Balanced || a.Check() == nil {
			t.Errorf("%s goes unnoticed: %+v", name, a)
		}
		var page strings.Builder
		if err := (Report{Account: a}).WriteHTML(&page); err != nil || !strings.Contains(page.String(), "the sum does not balance") {
			t.Errorf("%s: the page does not say so (%v)", name, err)
		}
	}
}

func TestThePageRunsAndLoadsNothing(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "javascript:", "src=", "//", "@import", "url(", "\x1b", "<b>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, want := range []string{"the sum balances", "&lt;script&gt;", "imported", ">68<", "From_Account=&lt;b&gt;", "killed", "It agrees with this report", "30003", "To_Account is empty", `\x1b[2J`, "default-src &#39;none&#39;", `<a href="failed.csv">failed.csv</a>, 5 edges`} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the page has no %q", want)
		}
	}
}

func TestTheReportForProgramsHasTheSumAtItsTop(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Edges map[string]any `json:"edges"`
		Added map[string]any `json:"added"`
	}
	if err := json.Unmarshal([]byte(b.String()), &r); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, key := range []string{"imported", "already", "failed", "rejected", "duplicate", "pending"} {
		sum += r.Edges[key].(float64)
	}
	if sum != r.Edges["read"].(float64) || r.Edges["balanced"] != true {
		t.Errorf("%v", r.Edges)
	}
}
