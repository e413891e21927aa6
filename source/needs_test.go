package source

import (
	"strings"
	"testing"
)

func TestTheFlagIsNamedThatAllRejectedRowsOfJSONLNeed(t *testing.T) {
	for name, c := range map[string]struct {
		rows   string
		better Flag
	}{
		"no AddSource":          {`{"From_Account":"a","To_Account":"b"}`, Flag{"default-add-source", "AddSource_Type_WORD"}},
		"a key in another case": {`{"from_account":"a","To_Account":"b"}`, Flag{"map", "From_Account=from_account,Remark=note"}},
		"an id is empty":        {`{"From_Account":"","To_Account":"b"}`, Flag{}},
		"one row is valid":      {`{"From_Account":"a","To_Account":"b"}` + "\n" + line(""), Flag{}},
	} {
		r := mustRead(t, Options{Map: map[string]string{"Remark": "note"}}, "a.jsonl", strings.Replace(c.rows, "{", `{"note":"x",`, 1)+"\n")
		equal(t, name, r.Counts.Better(map[string]string{"Remark": "note"}), c.better)
	}
}

func TestAnUpdateNeedsNoAddSource(t *testing.T) {
	r := mustRead(t, Options{NoSource: true}, "a.csv", "From_Account,To_Account,AddSource\na,b,\na,c,"+src+"\na,d,\na,e,x\n")
	equal(t, "pairs", r.pairs(), "a>b@2 a>c@3 a>d@4")
	equal(t, "rejected", r.reasons(), "5 AddSource is not AddSource_Type_ and 1 to 8 English letters")
}

func TestWordsForNoValueEarnOneWarning(t *testing.T) {
	r := mustRead(t, Options{DefaultAddSource: src}, "a.csv",
		"From_Account,To_Account,Remark,Other\na,b,x,NULL\na,c,\\N,\nNULL,d,,\na,a,\\N,\na,e,null and void,\n")
	equal(t, "rows", r.Counts.Nulls, 2)
	equal(t, "first", r.Counts.NullsAt.Line, 3)
}

func TestAListOfRejectedRowsIsNoInput(t *testing.T) {
	_, err := readTexts(t, Options{}, nil, text{"a.csv", strings.Join(rejectedColumns, ",") + "\na.csv,2,,x,y\n"})
	if err == nil || !strings.Contains(err.Error(), "it is a list of rejected rows, which is not an input") {
		t.Errorf("got %v", err)
	}
}
