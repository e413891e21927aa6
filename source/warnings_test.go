package source

import (
	"fmt"
	"strings"
	"testing"

	"friendmigrate/source/stage"
)

func TestEachFriendshipExportedOnceIsWarnedOf(t *testing.T) {
	few := stage.Totals{Pairs: 1000, MutualPairs: 49}
	for name, c := range map[string]struct {
		totals  stage.Totals
		options Options
		want    string
	}{
		"few":          {few, Options{}, "only 4.9 % of the pairs"},
		"sampled":      {stage.Totals{Pairs: 1000, PairsSampled: true}, Options{}, "only about 0.0 % of the pairs"},
		"with reverse": {few, Options{Mutual: true}, ""},
		"enough":       {stage.Totals{Pairs: 1000, MutualPairs: 50}, Options{}, ""},
		"no pairs":     {stage.Totals{}, Options{}, ""},
	} {
		got := strings.Join(Warnings(&Counts{}, &c.totals, c.options), "\n")
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestWarningsNameNoAccount(t *testing.T) {
	c := Counts{Unusual: 2, Inputs: []Input{{Name: "a.csv"}}}
	c.UnusualAt.Line = 7
	part := newTally()
	for i := range maxIgnored + 10 {
		part.ignore(fmt.Sprintf("column %02d", maxIgnored+10-i))
	}
	c.add([]*tally{&part})
	list := Warnings(&c, &stage.Totals{OverMax: 1, OverMaxFirst: []stage.RosterSize{{From: "somebody", Friends: 4000}}, GroupsOver: 3}, Options{MaxFriends: 3000})
	equal(t, "warnings", len(list), 4)
	text := strings.Join(list, "\n")
	if strings.Contains(text, "somebody") {
		t.Errorf("an account id in a warning: %q", text)
	}
	equal(t, "names are bounded, the first in the alphabet", len(c.ColumnsIgnored)*100+strings.Count(text, "column 01"), maxIgnored*100+1)
	if !strings.Contains(text, `"a.csv", line 7`) || !strings.Contains(text, "and perhaps more") {
		t.Errorf("got %q", text)
	}
}
