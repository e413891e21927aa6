package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"friendmigrate/cmd/trial/lab"
)

// A bug that has lost its place in the code would be planted nowhere, and a test that is gone finds
// none of them.
func TestEveryPlantedBugHasItsPlace(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, m := range mutations {
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(source), m.old); n != 1 {
			t.Errorf("%q: %s has the text to replace %d times", m.bug, m.file, n)
		}
		if m.by[0] == "test" {
			run, folder := m.by[slices.Index(m.by, "-run")+1], m.by[len(m.by)-1]
			testsAreThere(t, filepath.Join(root, folder), strings.Trim(run, "^()$"))
		} else if name := strings.TrimPrefix(m.by[2], "--only="); !slices.ContainsFunc(rows, func(r row) bool { return r.name == name }) {
			t.Errorf("%q is found by the row %q, which is not there", m.bug, name)
		}
	}
	testsAreThere(t, filepath.Join(root, "cmd", "friendmigrate"), commandTests+"|"+operationTest+"|"+damageTests)
	testsAreThere(t, ".", inputsTest)
	if len(mutations) < 12 {
		t.Errorf("%d planted bugs are too few", len(mutations))
	}
}

// Rows whose names are of equal length once drew the same cases.
func TestRowsDrawDifferentCases(t *testing.T) {
	s, drawn := &suite{seed: 7}, map[uint64]string{}
	for _, r := range rows {
		for i := range 3 {
			x, name := s.bench(r.name, i).rand.Uint64(), fmt.Sprint(r.name, " ", i)
			if drawn[x] != "" {
				t.Errorf("%s and %s draw the same", drawn[x], name)
			}
			drawn[x] = name
			if y := s.bench(r.name, i).rand.Uint64(); y != x {
				t.Errorf("%s draws %x, and then %x", name, x, y)
			}
		}
	}
}

// testsAreThere looks for tests, whose names are separated by |, in a folder.
func testsAreThere(t *testing.T, folder, names string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	for name := range strings.SplitSeq(names, "|") {
		if !bytes.Contains(all, []byte("func "+name+"(t *testing.T)")) {
			t.Errorf("%s has no %s", folder, name)
		}
	}
}

func TestRowsAreChosenByName(t *testing.T) {
	counts := map[string]*int{}
	for _, r := range rows {
		n := -1
		counts[r.name] = &n
	}
	*counts["kill"] = 7
	plan, err := choose("kill,two", false, counts)
	if err != nil || len(plan) != 2 || plan[0].count != 7 || plan[1].count != plan[1].ci {
		t.Errorf("%v %v", plan, err)
	}
	if _, err := choose("kil", false, counts); err == nil {
		t.Error("a row that is none was chosen")
	}
	s := &suite{}
	if err := s.setReplay("12:34", plan[:1]); err != nil || s.seed != 12 || s.index != 34 {
		t.Errorf("%v %d %d", err, s.seed, s.index)
	}
	if err := s.setReplay("12", plan[:1]); err == nil {
		t.Error("half a replay was taken")
	}
}

// A mount that fails, or a full disk of the machine, must end the row: a case that was not done
// finds nothing.
func TestAnErrorOfTheBenchEndsTheRow(t *testing.T) {
	s := &suite{parallel: 3, index: -1, dir: t.TempDir(), out: io.Discard}
	var done atomic.Int32
	broken := errors.New("no room")
	err := lab.Catch(func() {
		cases(func(context.Context, *bench) {
			if done.Add(1) == 5 {
				lab.Check(broken)
			}
		})(t.Context(), s, 1000)
	})
	if n := done.Load(); !errors.Is(err, broken) || n < 5 || n > 5+3 {
		t.Errorf("%v after %d cases", err, n)
	}
}

// A seed is worth nothing if it does not bring back the job.
func TestOneSeedOneJob(t *testing.T) {
	for _, shape := range lab.Shapes() {
		a := lab.Make(filepath.Join(t.TempDir(), "a"), shape, 7)
		b := lab.Make(filepath.Join(t.TempDir(), "b"), shape, 7)
		if len(a.Pairs) == 0 || len(a.Pairs) != len(b.Pairs) || a.Rows != b.Rows {
			t.Errorf("%s: %d and %d pairs, %d and %d rows", shape, len(a.Pairs), len(b.Pairs), a.Rows, b.Rows)
		}
		for _, name := range a.Inputs {
			one, err1 := os.ReadFile(filepath.Join(a.Dir, name))
			two, err2 := os.ReadFile(filepath.Join(b.Dir, name))
			if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
				t.Errorf("%s: %s differs (%v, %v)", shape, name, err1, err2)
			}
		}
	}
}

func TestEveryFuzzTargetIsFound(t *testing.T) {
	if names := fuzzTargets(filepath.Join("..", "..", "checkpoint"), ""); len(names) < 2 {
		t.Errorf("%v", names)
	}
}

func TestEndOfFuzzingTimeIsNoFinding(t *testing.T) {
	end := "fuzz: elapsed: 30s, execs: 16229 (0/sec), new interesting: 3 (total: 9)\n--- FAIL: FuzzRead (30.31s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tfriendmigrate/source\t30.4s\n"
	found := "--- FAIL: FuzzRead (2.31s)\n    --- FAIL: FuzzRead (0.00s)\n        read_test.go:9: context deadline exceeded\n    \n    Failing input written to testdata/fuzz/FuzzRead/1\nFAIL\n"
	if !endedLate.MatchString(end) || endedLate.MatchString(found) {
		t.Errorf("the end is taken for one: %v, a finding: %v", endedLate.MatchString(end), endedLate.MatchString(found))
	}
}

// The simple reader has to be right where it is held against the program.
func TestTheSimpleReader(t *testing.T) {
	const head = "From_Account,To_Account,AddSource\n"
	for text, want := range map[string]count{
		"":   {},
		head: {},
		head + "a,b,AddSource_Type_X\n\n\ufeffa,c,AddSource_Type_X":                            {rows: 2},
		head + "a,b,AddSource_Type_X\r\n" + head:                                               {rows: 1, rejected: 1},
		head + "a,b,AddSource_Type_X\ra,c,AddSource_Type_X":                                    {unusable: "lines end in CR"},
		head + "\"a\",\"b\",\"AddSource_Type_X\"\n":                                            {rows: 1},
		head + "\"a,b,AddSource_Type_X\na,c,AddSource_Type_X\n":                                {rows: 1, rejected: 1},
		head + "\"a\"x,b,AddSource_Type_X\na\"b,c,d\na,b\n ,\n":                                {rejected: 4},
		head + "a,a,AddSource_Type_X\na,b,AddSource_Type_1\n,b,c\n":                            {rejected: 3},
		"Remark,To_Account,AddSource,From_Account\n\"x\n\"\"y\"\", z\",b,AddSource_Type_X,a\n": {rows: 1},
	} {
		got := readSimply("csv", []byte(text))
		if got.rows != want.rows || got.rejected != want.rejected || got.unusable != want.unusable {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	got := readSimply("jsonl", []byte("{\"From_Account\":\"a\",\"To_Account\":\"b\",\"AddSource\":\"AddSource_Type_X\"}\n\n{\n[]\n{}\n"))
	if got.rows != 1 || got.rejected != 3 || !got.from["a"] {
		t.Errorf("JSONL: %+v", got)
	}
}
