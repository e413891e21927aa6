package verify

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// jobOf is a job's journal over a plan, with an outcome for each edge; migrate.Again leaves it
// pending.
func jobOf(t *testing.T, s *stage.Stage, outcome func(e *migrate.Edge) migrate.Outcome) *checkpoint.Journal {
	t.Helper()
	dir, totals := t.TempDir(), s.Totals()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(checkpoint.Create(disk.OS{}, dir, checkpoint.Identity{Edges: totals.Edges, Chunks: totals.Chunks,
		PlanDigest: totals.PlanDigest}))
	journal, err := checkpoint.Open(disk.OS{}, dir)
	must(err)
	must(journal.BeginRun(checkpoint.RunStart{}))
	for r, err := range s.Rosters(t.Context(), nil) {
		must(err)
		for i := range r.Chunks {
			chunk, err := r.Load(i)
			must(err)
			settled := migrate.Settlement{Chunk: chunk}
			for k := range chunk.Edges {
				if o := outcome(&chunk.Edges[k]); o.Kind != migrate.Again {
					settled.Settled = append(settled.Settled, migrate.Settled{Index: k, Outcome: o, Attempts: 1})
				}
			}
			must(journal.Settle(t.Context(), settled))
		}
	}
	must(journal.EndRun(checkpoint.RunEnd{AllAnswered: true}))
	t.Cleanup(func() { _ = journal.Close() })
	return journal
}

// partOf is a verify of a stage in a folder, without a job.
func partOf(t *testing.T, dir string, s *stage.Stage) *Part {
	t.Helper()
	program := &job.Program{Flags: func(string) map[string]bool { return nil }}
	return &Part{Job: job.Job{Program: program, FS: disk.OS{}, Dir: dir, Stage: s, Log: zap.NewNop(),
		Counts: source.Counts{Inputs: []source.Input{{Name: "in.csv", Format: source.CSV}}}}}
}

// TestEachEdgeIsOneOfTheKinds: what the job knows, what the service says and what undo has done, for
// every combination of these, against a count by hand: whole, of some accounts, and drawn.
func TestEachEdgeIsOneOfTheKinds(t *testing.T) {
	s := staged(t, 40, 2100, 1, 7, 0, 300, 3, 25)
	became := []migrate.Outcome{{}, {Kind: migrate.Imported}, {Kind: migrate.Already}, {Kind: migrate.Failed, Code: 30003}}
	service := []sink.Presence{{Known: true, Exists: true}, {Known: true}, {Code: 30009, Info: "Err_30009"}}
	random := rand.New(rand.NewPCG(1, 1))
	type known struct{ job, service, undo int }
	undid := []migrate.Outcome{{}, {Kind: migrate.Imported}, {Kind: migrate.Failed, Code: 30006}}
	edges := map[string]known{}
	journal := jobOf(t, s, func(e *migrate.Edge) migrate.Outcome {
		k := known{job: random.IntN(len(became)), service: random.IntN(len(service))}
		if e.From == "a7" {
			k.job = 0 // an account of which nothing was sent
		}
		if k.job == 1 {
			k.undo = random.IntN(len(undid))
		}
		edges[e.From+"/"+e.To] = k
		return became[k.job]
	})
	undo := jobOf(t, s, func(e *migrate.Edge) migrate.Outcome { return undid[edges[e.From+"/"+e.To].undo] })
	err := errors.Join(undo.BeginRun(checkpoint.RunStart{}), undo.Announce(0), undo.EndRun(checkpoint.RunEnd{}))
	if err != nil {
		t.Fatal(err)
	}
	check := func(_ context.Context, from string, to []string) (list []sink.Presence, err error) {
		for _, one := range to {
			k := edges[from+"/"+one]
			if k.job == 0 {
				t.Errorf("%s is asked about, and was never sent", from+"/"+one)
			}
			list = append(list, service[k.service])
		}
		return list, nil
	}
	for name, c := range map[string]struct {
		accounts []string
		sample   int64
	}{
		"whole": {}, "pilot": {accounts: []string{"a1", "a2", "a7"}}, "nobody": {accounts: []string{"a7"}},
		"sample": {sample: 500}, "drawn from a pilot": {accounts: []string{"a1"}, sample: 700},
	} {
		speaksOf := func(from string) bool { return strings.Contains(" "+strings.Join(c.accounts, " ")+" ", " "+from+" ") }
		v := partOf(t, t.TempDir(), s)
		v.Journal, v.undo, v.Set.Sample = journal, undo, c.sample
		if c.accounts != nil {
			v.Set.OnlyAccounts = filepath.Join(v.Dir, "accounts")
			err := os.WriteFile(v.Set.OnlyAccounts, []byte(strings.Join(c.accounts, "\n")), 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if v.Pilot, err = v.OpenPilot(t.Context()); err == nil {
				_, err = v.Pilot.Find(t.Context(), s, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Ask(t.Context(), Service{Check: check}, migrate.Options{Workers: 2, Retry: migrate.DefaultRetry},
			func() int64 { return 0 }); err != nil {
			t.Fatal(name, err)
		}
		v.window = 37 // many windows, and a last one that is not full
		if err := v.WriteLists(); err != nil {
			t.Fatal(err)
		}
		got, err := v.Look()
		if err != nil {
			t.Fatal(err)
		}
		there := int64(0)
		want := report.Verified{MissingBy: map[int]int64{}, NoVerdict: map[int]int64{}, There: &there}
		for edge, k := range edges {
			from, _, _ := strings.Cut(edge, "/")
			if c.accounts != nil && !speaksOf(from) {
				continue
			}
			want.Edges++
			switch {
			case k.job == 0:
				want.Pending++
			case k.job == 3:
				want.Failed++
				if k.service == 0 {
					there++
				}
			case k.service == 0:
				want.InPlace++
			default:
				want.Missing++
				if k.service == 2 {
					want.MissingBy[30009]++
				}
				switch {
				case k.undo == 1:
					want.Deleted++
				case k.job == 1 && k.undo == 0:
					want.Perhaps++
				}
			}
		}
		text, err := os.ReadFile(filepath.Join(v.Dir, "missing.csv"))
		if err != nil {
			t.Fatal(err)
		}
		listed := int64(0)
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
			cells := strings.Split(line, ",") // From, To, ..., Outcome, ResultCode, ResultInfo, Input, Line
			k, at := edges[cells[0]+"/"+cells[1]], len(cells)-5
			listed++
			outcome := map[int]string{1: "imported", 2: "already"}[k.job]
			code := map[int]string{1: "", 2: "30009"}[k.service]
			if k.service == 0 || k.undo == 1 || outcome == "" || cells[at] != outcome || cells[at+1] != code {
				t.Fatalf("%s: %s is listed, and is %+v", name, line, k)
			}
		}
		if c.sample > 0 {
			drawn, of := got.Sample.Drawn, got.Sample.Of
			if drawn > c.sample || of != want.InPlace+want.Missing || got.InPlace+got.Missing != drawn || got.Missing == 0 ||
				got.Failed != want.Failed || got.Pending != want.Pending {
				t.Errorf("%s: %d of %d, %+v, and the whole is %+v", name, drawn, of, got, want)
			}
			want.Missing, want.Deleted = got.Missing, got.Deleted
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: found %+v, want %+v", name, got, want)
		}
		if listed != want.Lost() || got.Edges != got.InPlace+got.Missing+got.Different+got.Failed+got.Pending {
			t.Errorf("%s: %d listed, %d missing of %+v", name, listed, want.Missing, got)
		}
		if err := v.Finish(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhichCodesAreAVerdict: one that passes is none, whether it came for an item or for the whole
// call.
func TestWhichCodesAreAVerdict(t *testing.T) {
	for code, want := range map[int]bool{
		codeMissing: true, codeDifferent: false, 30001: true, 30002: true, 30003: true, 30004: true, 30009: true, 30010: true,
		70107: true, 38001: true, 39999: true,
		30006: false, 30007: false, 30008: false, 30540: false, 60007: false, 60008: false,
		60011: false, 70169: false, 70500: false, 72010: false,
	} {
		if isMissing(code) != want {
			t.Errorf("%d: %t", code, !want)
		}
	}
}

// TestNothingOfAnOlderVerifySurvives, in whichever format its lists are and however the newer one
// ends.
func TestNothingOfAnOlderVerifySurvives(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"missing.csv", "missing.jsonl", "different.csv", "different.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("From_Account\nold\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v := partOf(t, dir, staged(t, 2))
	v.Counts.Inputs[0].Format = source.JSONL
	if err := v.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer v.CloseVerdicts()
	lists, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(lists) != 2 {
		t.Fatalf("%v %v", lists, err)
	}
	for _, name := range lists {
		if text, err := os.ReadFile(name); err != nil || len(text) > 0 || !strings.HasSuffix(name, ".jsonl") {
			t.Errorf("%s holds %q (%v)", name, text, err)
		}
	}
}

// TestAShardWithoutAllAnswersIsNotFinished, if only edges that failed in the job are open either,
// and the next shard is asked about all the same.
func TestAShardWithoutAllAnswersIsNotFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := staged(t, 3, 2, 1, 1)
		first, second := partOf(t, t.TempDir(), s), partOf(t, t.TempDir(), s)
		first.Journal = jobOf(t, s, func(e *migrate.Edge) migrate.Outcome {
			if e.From == "a0" {
				return migrate.Outcome{Kind: migrate.Failed, Code: 30003}
			}
			return inPlace()
		})
		second.Journal = jobOf(t, s, func(*migrate.Edge) migrate.Outcome { return inPlace() })
		r := &Result{Job: &first.Job, Parts: []*Part{first, second}}
		counted := int64(0)
		calls := func() int64 { counted++; return counted } // before and after each part
		check := func(_ context.Context, from string, to []string) ([]sink.Presence, error) {
			if from == "a0" && counted == 1 {
				return nil, &migrate.CallError{Verdict: migrate.VerdictRetry}
			}
			return slices.Repeat([]sink.Presence{{Known: true, Exists: true}}, len(to)), nil
		}
		engine := migrate.Options{Workers: 1, Retry: migrate.DefaultRetry, OutageTimeout: time.Minute,
			AskService: func(context.Context) error { return nil }}
		for _, p := range r.Parts {
			if err := p.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.Stop = job.Stop{Err: r.askParts(t.Context(), Service{Check: check}, engine, calls), Asks: true}
		ending, err := r.finish()
		if err != nil || ending.Code != exit.Unfinished || first.Found.Code != 4 || first.Found.Unasked != 0 ||
			second.Found.Code != 0 || second.Found.InPlace != 7 {
			t.Errorf("%v %+v\n%+v\n%+v", err, ending, first.Found, second.Found)
		}
		for _, p := range r.Parts {
			if err := p.CloseVerdicts(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestShardsThatWaitAreRecordedSeldom, but often enough that status takes none for stopped.
func TestShardsThatWaitAreRecordedSeldom(t *testing.T) {
	s := staged(t, 3)
	r := &Result{Parts: []*Part{partOf(t, t.TempDir(), s), partOf(t, t.TempDir(), s)}}
	for _, p := range r.Parts {
		if err := p.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.CloseVerdicts() })
	}
	var written [2]time.Duration
	start := time.Now()
	for after := time.Duration(0); after < 30*time.Second; after += time.Second {
		r.record(progress.Snapshot{Clock: start.Add(after), Calls: &progress.Calls{}})
		for i, p := range r.Parts {
			err := os.Remove(filepath.Join(p.dir(), folder.Progress))
			if err == nil {
				written[i] = after
			}
			if i == 0 && err != nil || i == 1 && (err == nil) != (after%(5*time.Second) == 0) ||
				after-written[i] >= inspect.SignOfLife {
				t.Errorf("shard %d after %v: %v", i, after, err)
			}
		}
	}
}
