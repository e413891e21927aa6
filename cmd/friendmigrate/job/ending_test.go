package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// flagsOf are the flags of a command, as the command line has them.
func flagsOf(command string) map[string]bool {
	flags := map[string]bool{}
	for _, f := range settings.Flags(command) {
		flags[f.Name] = f.Kind == settings.Takes
	}
	return flags
}

// judged is a job that has ended with err, after a call of the program with args.
func judged(args string, err error) *Run {
	p := &Program{Args: append([]string{"friendmigrate", "import"}, strings.Fields(args)...), Env: map[string]string{}, Flags: flagsOf}
	inputs := []string{p.Args[len(p.Args)-1]}
	return &Run{
		Job: Job{
			Program: p, Dir: "state", Inputs: inputs, Suffix: "-2", Set: settings.Settings{Job: settings.Job{State: "state"}},
			Counts: source.Counts{Inputs: []source.Input{{Name: inputs[0], Format: source.CSV}}},
		},
		Op:     Operation{Command: "import", Settled: "in place", Already: "there already"},
		result: runResult{err: err, began: time.Now(), stats: sink.Stats{Attempts: 40}},
	}
}

// by is the same for another command.
func (j *Run) by(command, inside string) *Run {
	j.Args[1], j.Op, j.Dir = command, Operation{Command: command, Folder: inside}, filepath.Join(j.Dir, inside)
	return j
}

func withCounts(j *Run, c source.Counts) *Run {
	c.Inputs = j.Counts.Inputs
	j.Counts = c
	return j
}

func account(imported, failed, rejected, pending int64) outcome {
	a := report.Sums{Rows: report.Sum{Read: imported + failed + rejected + pending, Counts: checkpoint.Counts{Imported: imported, Failed: failed}, Rejected: rejected, Pending: pending, Balanced: true}}
	return outcome{sums: a, failed: failed, rejected: rejected}
}

func stopped(reason migrate.Reason, info, hint string) error {
	return fmt.Errorf("run: %w", &migrate.StopError{Reason: reason, Info: info, Hint: hint})
}

func braked(b migrate.Brake, code int) error {
	return &migrate.StopError{Reason: migrate.ReasonThreshold, Code: code, Brake: &b}
}

// coded adds the codes of failed edges: a code and a count in turn.
func coded(o outcome, counts ...int64) outcome {
	o.byCode = map[int]int64{}
	for i := 0; i < len(counts); i += 2 {
		o.byCode[int(counts[i])] = counts[i+1]
	}
	return o
}

func TestEveryEndingHasItsCodeItsWordsAndItsHint(t *testing.T) {
	for _, c := range []struct {
		name string
		job  *Run
		o    outcome
		code exit.Code
		want string // of the whole line
	}{
		{"done", judged("a.csv", nil), account(1200, 0, 0, 0), 0,
			"finished: all 1,200 edges are in place, 40 calls in less than a second; hint: friendmigrate verify --fields # proves it"},
		{"failed", judged("--fresh a.csv", nil), account(10, 1, 0, 0), 3,
			"finished: 10 of 11 edges are in place, 40 calls in less than a second; 1 edge failed, see state/failed.csv; hint: friendmigrate import --retry-failed a.csv # after fixing what its code says"},
		{"the only edge", judged("a.csv", nil), account(1, 0, 0, 0), 0,
			"finished: 1 edge is in place, 40 calls in less than a second; hint: friendmigrate verify --fields # proves it"},
		{"some were there before", judged("a.csv", nil), outcome{sums: report.Sums{Rows: report.Sum{Read: 9, Counts: checkpoint.Counts{Imported: 5, Already: 4, AlreadyUncertain: 3}, Balanced: true}}}, 0,
			"finished: all 9 edges are in place (4 were there already, 3 of them perhaps by a call of this job), 40 calls in less than a second; hint: friendmigrate verify --fields # proves it"},
		{"rejected", judged("--rate 7 a.csv", nil), account(10, 0, 1, 0), 3,
			"finished: all 10 edges are in place, 40 calls in less than a second; 1 row was rejected, see state/rejected.csv; hint: friendmigrate import --rate 7 --state state-fixed fixed.csv # with state/rejected.csv, fixed"},
		{"all rejected, JSONL", withCounts(judged("a.jsonl", nil), source.Counts{RejectedIn: []string{source.JSONL}, AllRejected: []source.AllRejected{{Reason: "From_Account is empty", Inputs: 1}}}), account(0, 0, 2, 0), 3,
			"finished without a call: the input has no edges; 2 rows were rejected, see state/rejected.csv (all rows: From_Account is empty); hint: friendmigrate import --state state-fixed fixed.jsonl # with state/rejected.csv, fixed"},
		{"a deadline", judged("a.csv", stopped(migrate.ReasonDuration, "", "")), account(10, 0, 0, 5), 4,
			"stopped after --max-duration; 5 of 15 edges are pending; hint: friendmigrate import a.csv"},
		{"an outage, with failures and rejects", judged("--retry-failed=30003 a.csv", stopped(migrate.ReasonOutage, "nothing got through for 15m0s: timeout", "")), account(10, 2, 1, 5), 4,
			"stopped: nothing got through for 15m0s: timeout; 2 edges failed, see state/failed.csv; 5 of 17 edges are pending; hint: friendmigrate import a.csv"},
		{"no answer", judged("a.csv", stopped(migrate.ReasonUnanswered, "some calls never got an answer, their edges stay pending", "")), account(10, 0, 0, 1), 4,
			"not finished: some calls never got an answer, their edges stay pending; 1 of 11 edges is pending; hint: friendmigrate import a.csv"},
		{"a threshold", judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeFailures, Count: 6, Limit: 5, Text: "full", All: true}, 30014)), coded(account(1, 6, 0, 3), 30014, 6), 6,
			`refused each time with code 30014 (the other account's friend list is full); the service says "full"` + "\nfriendmigrate: " +
				"stopped: 6 edges failed in this run, more than --max-failures 5; " +
				"6 edges failed (30014), see state/failed.csv; 3 of 10 edges are pending; " +
				"hint: friendmigrate failures --code 30014 # shows them; then import with --retry-failed"},
		{"a share", judged("--state s a.csv", braked(migrate.Brake{Kind: migrate.BrakeRatio, Count: 2000, Of: 3000, Limit: 0.5, Text: "no"}, 39999)), coded(account(1000, 2000, 0, 3), 39999, 1990, 30003, 10), 6,
			`refused mostly with code 39999; the service says "no"` + "\nfriendmigrate: " +
				"stopped: 2,000 of 3,000 edges settled in this run failed, --max-failure-ratio is 0.5; " +
				"2,000 edges failed (1,990 with 39999, 10 with 30003), see state/failed.csv; 3 of 3,003 edges are pending; " +
				"hint: friendmigrate failures --state s --code 39999 # shows them; then import with --retry-failed, " +
				"or --max-failure-ratio 0 to go on"},
		{"an update", judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeFailures, Count: 6, Limit: 5}, 39999)).by("update", ""), account(1, 6, 0, 0), 6,
			"refused mostly with code 39999\nfriendmigrate: stopped: 6 edges failed in this run, more than --max-failures 5; 6 edges failed, see state/failed.csv; no edge is pending; " +
				"hint: friendmigrate failures --code 39999 # shows them; then update with --retry-failed"},
		{"an undo", judged("--yes --state state", braked(migrate.Brake{Kind: migrate.BrakeRatio, Count: 600, Of: 1000, Limit: 0.5}, 39999)).by("undo", "undo"), account(400, 600, 0, 0), 6,
			"refused mostly with code 39999\nfriendmigrate: stopped: 600 of 1,000 edges settled in this run failed, --max-failure-ratio is 0.5; 600 edges failed, see state/undo/failed.csv; no edge is pending; " +
				"hint: friendmigrate failures --state state/undo --code 39999 # shows them; then undo with --retry-failed"},
		{"a tag that was never created", judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeField, Text: "Custom_Tag", All: true, Landed: true, Fields: []string{"Tag_SNS_Custom_A"}}, 39999)), account(1, 0, 0, 3), 6,
			`refused each time with code 39999; the service says "Custom_Tag"` + "\nfriendmigrate: " +
				"stopped: chunk after chunk is refused for some edges; only refused edges have Tag_SNS_Custom_A; " +
				`3 of 4 edges are pending; hint: friendmigrate import a.csv # after creating Tag_SNS_Custom_A in the console`},
		{"tags of which any may be missing", judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeHalved, Text: "Custom_Tag", All: true, Fields: []string{"Tag_SNS_Custom_A", "Tag_SNS_Custom_B", "Remark"}}, 39999)), account(0, 0, 0, 3), 6,
			`refused each time with code 39999; the service says "Custom_Tag"` + "\nfriendmigrate: " +
				"stopped: chunk after chunk is refused edge by edge; the refused edges have Tag_SNS_Custom_A, Tag_SNS_Custom_B, Remark, and none landed to compare them with; " +
				`3 of 3 edges are pending; hint: friendmigrate import a.csv # after creating Tag_SNS_Custom_A, Tag_SNS_Custom_B in the console`},
		{"calls that are too large", judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeExtra, Count: 201, Limit: 200, All: true, Bytes: 30_000}, 413)), account(1, 0, 0, 3), 6,
			"refused each time with HTTP 413\nfriendmigrate: stopped: finding the edges that are refused has cost 201 extra calls, more than --max-extra-calls 200; 3 of 4 edges are pending; " +
				"hint: friendmigrate import --chunk-bytes 15000 a.csv # smaller calls"},
		{"calls of one edge that are too large", judged("--state s a.csv", braked(migrate.Brake{Kind: migrate.BrakeHalved, All: true, Bytes: 900}, 413)), account(0, 5, 0, 3), 6,
			"refused each time with HTTP 413\nfriendmigrate: stopped: chunk after chunk is refused edge by edge; 5 edges failed, see state/failed.csv; 3 of 8 edges are pending; " +
				"hint: friendmigrate failures --state s --code 413 # shows them; then import with --retry-failed"},
		{"nobody answers", judged("--rate 7 --region tokyo a.csv", stopped(migrate.ReasonSilent, "no answer within 30s: no such host", "")), account(0, 0, 0, 3), 4,
			"stopped: no answer within 30s: no such host; 3 of 3 edges are pending; hint: friendmigrate doctor --region tokyo # once it answers, the same import resumes"},
		{"refused", judged("a.csv", stopped(migrate.ReasonRefused, "code 70009: bad", "check the key")), account(0, 0, 0, 3), 12,
			"stopped: code 70009: bad; check the key; 3 of 3 edges are pending; hint: friendmigrate import a.csv # after fixing that"},
		{"standard input is staged", judged("--format csv -", stopped(migrate.ReasonOutage, "x", "")), account(0, 0, 0, 3), 4,
			"stopped: x; 3 of 3 edges are pending; hint: friendmigrate import --format csv - < /dev/null"},
		{"a full disk", judged("a.csv", errors.New("write journal: no space left on device")), account(4, 0, 0, 3), 1,
			"write journal: no space left on device; 3 of 7 edges are pending; hint: friendmigrate import a.csv"},
		{"sums that do not balance", judged("a.csv", stopped(migrate.ReasonRefused, "x", "")), outcome{trouble: errors.New("the sums do not balance: y")}, 1,
			"the sums do not balance: y; no edge is pending; hint: friendmigrate import a.csv"},
	} {
		e := c.job.ending(c.o)
		if e.Code != c.code || e.LastLine() != "friendmigrate: "+c.want {
			t.Errorf("%s: code %d\n got  %s\n want friendmigrate: %s", c.name, e.Code, e.LastLine(), c.want)
		}
	}
}

// Everybody who sees the pod reads this: it names no account and quotes nothing of the service.
func TestThePublicReasonIsASentenceWithoutTextOfTheService(t *testing.T) {
	for want, stop := range map[string]migrate.StopError{
		"stopped by a signal":                                                                  {Reason: migrate.ReasonSignal},
		"stopped after --max-duration":                                                         {Reason: migrate.ReasonDuration},
		"stopped: an outage longer than --outage-timeout":                                      {Reason: migrate.ReasonOutage},
		"stopped: every call was refused as too frequent for --outage-timeout":                 {Reason: migrate.ReasonThrottled},
		"stopped: no answer from the service":                                                  {Reason: migrate.ReasonSilent},
		"stopped: no answer from the service, last with HTTP 502":                              {Reason: migrate.ReasonSilent, Code: 502},
		"not finished: some calls never got an answer":                                         {Reason: migrate.ReasonUnanswered},
		"stopped: credentials, admin right, app, quota, region or proxy refused with HTTP 407": {Reason: migrate.ReasonRefused, Code: 407},
	} {
		stop.Info, stop.Hint = "bob", "bob"
		if e := judged("a.csv", &stop).ending(account(1, 0, 0, 1)); e.Public != want+"; 1 of 2 edges is pending" {
			t.Error(e.Public)
		}
	}
}

func TestAccountsThatDoNotExistAreAskedFor(t *testing.T) {
	for _, code := range []int{30003, 70107} {
		e := judged("a.csv", braked(migrate.Brake{Kind: migrate.BrakeNothing, Count: 300}, code)).ending(account(0, 300, 0, 3))
		if want := "friendmigrate accounts # shows them; then import with --retry-failed, or --max-failure-ratio 0 to go on"; e.Hint != want {
			t.Errorf("%d: %s", code, e.Hint)
		}
		if !strings.Contains(e.What, "the account does not exist in this app") {
			t.Errorf("%d: %s", code, e.What)
		}
	}
}

func TestASignalIsNamed(t *testing.T) {
	j := judged("a.csv", stopped(migrate.ReasonSignal, "interrupted", ""))
	j.result.cause = Signal{Signal: os.Interrupt}
	if got := j.ending(account(1, 0, 0, 1)).What; got != "stopped by SIGINT; 1 of 2 edges is pending" {
		t.Error(got)
	}
}

func TestAPilotIsJudgedByItsOwnAccounts(t *testing.T) {
	j := judged("--only-accounts pilot.txt a.csv", nil)
	j.Pilot = &Pilot{}
	o := account(10, 5, 7, 100)
	o.failed, o.rejected, o.pilot = 0, 0, &report.Pilot{Accounts: 3, Unknown: 1, Edges: 10}
	e := j.ending(o)
	want := "the pilot is finished: all 10 edges of 2 accounts are in place, 40 calls in less than a second; 100 edges are pending of other accounts; hint: friendmigrate import a.csv"
	if e.Code != exit.Done || e.LastLine() != "friendmigrate: "+want {
		t.Errorf("%d %s", e.Code, e.LastLine())
	}
	o.failed, o.pilot.Failed = 2, 2
	o.byCode, o.ofPilot = map[int]int64{30003: 1, 30010: 4}, map[int]int64{30010: 2}
	want = "; 2 edges failed (30010), see state/failed.csv; 100 edges are pending of other accounts"
	if e := j.ending(o); e.Code != exit.Exceptions || !strings.HasPrefix(e.What, "the pilot is finished: 8 of 10 edges of 2 accounts are in place") || !strings.HasSuffix(e.What, want) {
		t.Errorf("%d %s", e.Code, e.LastLine())
	}
	if e := j.ending(o); e.Hint != "friendmigrate import --only-accounts pilot.txt --retry-failed a.csv # after fixing what their codes say" {
		t.Error(e.Hint)
	}
	o.reopened = 1 // of another account
	if e := j.ending(o); e.Hint != "friendmigrate import --retry-failed a.csv # after fixing what their codes say" {
		t.Error(e.Hint)
	}
	j.result.err = &migrate.StopError{Reason: migrate.ReasonSignal}
	if e := j.ending(o); !strings.Contains(e.What, "; 5 edges failed (4 with 30010, 1 with 30003), see ") {
		t.Errorf("%d %s", e.Code, e.LastLine())
	}
}
