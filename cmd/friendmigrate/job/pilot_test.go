package job

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestARejectedRowOfThePilotCounts(t *testing.T) {
	list := write(t, "rejected.csv", `Input,Line,Column,Reason,Row
a.csv,2,To_Account,is empty,"pilot,,AddSource_Type_X"
a.csv,3,To_Account,is empty,"other,,AddSource_Type_X"
a.csv,4,,broken,"pilot,""x"
a.jsonl,5,To_Account,is empty,"{""From_Account"":""pilot"",""To_Account"":""""}"
a.jsonl,6,To_Account,is empty,"{""From_Account"":""other"",""Remark"":7}"
a.csv,7,To_Account,is empty,"""pilot"",,x
y"
a.csv,8,To_Account,is empty,"pilot2,,"
`)
	p := &Pilot{accounts: map[string]bool{"pilot": true}}
	if n, err := p.Rejected(filepath.Dir(list)); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := p.Rejected(t.TempDir()); n != 0 || err != nil {
		t.Errorf("without a list: %d, %v", n, err)
	}
}

// A pilot has the same rosters in the same order whether its accounts are looked up one by one or
// found by a pass over the plan.
func TestAPilotFindsItsAccountsEitherWay(t *testing.T) {
	const rosters = 4 * cheaperPass
	var rows strings.Builder
	rows.WriteString("From_Account,To_Account,AddSource\n")
	for i := range rosters {
		fmt.Fprintf(&rows, "u%d,friend,AddSource_Type_X\nu%d,other,AddSource_Type_X\n", i, i)
	}
	pending, err := source.ReadInputs(t.Context(), source.Request{Inputs: []string{write(t, "edges.csv", rows.String())}, StateDir: filepath.Join(t.TempDir(), "state")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := pending.Seal()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, n := range []int{1, 2, rosters / cheaperPass, rosters/cheaperPass + 1, 5 * rosters} {
		var list strings.Builder
		named := map[string]bool{}
		for i := range n {
			named[fmt.Sprint("u", i*7)] = true
			fmt.Fprintf(&list, "u%d\n", i*7)
		}
		file, err := accountlist.Open(source.Standard, strings.NewReader(list.String()))
		if err != nil {
			t.Fatal(err)
		}
		set, err := file.Set(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := &Pilot{list: file, accounts: set}
		for range 2 { // verify asks twice
			if _, err := p.Find(t.Context(), s, nil); err != nil {
				t.Fatal(err)
			}
		}
		var got, want []int64
		for r, err := range p.Rosters(t.Context(), s, func(first int64, chunks int) bool { return first == 0 && chunks == 1 }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.First)
		}
		known := int64(0)
		for r, err := range s.Rosters(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if named[r.From] {
				known++
				if r.First > 0 {
					want = append(want, r.First)
				}
			}
		}
		if !slices.Equal(got, want) || p.edges != 2*known || int64(p.Named()-p.Unknown()) != known || (p.order != nil) != (n*cheaperPass <= rosters) {
			t.Errorf("%d accounts: %d rosters of %d, %d edges, %d unknown", n, len(got), len(want), p.edges, p.Unknown())
		}
	}
}
