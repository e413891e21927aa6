package source

import (
	"fmt"
	"strings"
	"testing"
)

// line is a JSONL row with more members.
func line(members string) string {
	return `{"From_Account":"a","To_Account":"b","AddSource":"` + src + `"` + members + "}"
}

func TestJSONLTakesTheItemShape(t *testing.T) {
	r := mustRead(t, Options{}, "a.jsonl", line(`,"Remark":"r\u00e9\ud83d\ude42\n\"\\\/","RemarkTime":1420000001,"GroupName":["x;y","z"],"AddWording":"w","AddTime":5,`+
		`"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":"12"},{"Value":12,"Tag":"Tag_SNS_Custom_B"}],"Tag_SNS_Custom_C":9007199254740993`)+"\r\n \t\r\n\n"+line(""))
	if len(r.Edges) != 2 || len(r.Rejected) != 0 {
		t.Fatalf("%s; %s", r.pairs(), r.reasons())
	}
	e := r.Edges[0]
	equal(t, "texts", e.Remark+"|"+strings.Join(e.Groups, "|")+"|"+e.AddWording, "ré🙂\n\"\\/|x;y|z|w")
	equal(t, "times", fmt.Sprint(e.RemarkTime, e.AddTime), "1420000001 5")
	equal(t, "custom", fmt.Sprint(e.Custom), "[{Tag_SNS_Custom_A 12 false} {Tag_SNS_Custom_B 12 true} {Tag_SNS_Custom_C 9007199254740993 true}]")
	equal(t, "line", r.Edges[1].Line, 4)
}

// A tag is a part of its block, which is used again for other rows while the counts stay.
func TestRejectedTagsAreCountedWhateverBecomesOfTheirBlocks(t *testing.T) {
	var rows strings.Builder
	for i := range 4000 {
		tag := "Tag_SNS_Custom_" + strings.Repeat(string(rune('a'+i%26)), 1+i%8)
		rows.WriteString(line(`,"`+tag+`":true`) + "\n" + line(`,"GroupName":["`+strings.Repeat("汉", i%9)+`"]`) + "\n")
	}
	r, err := readTexts(t, Options{}, func(r *reading) { r.size = 500 }, text{"a.jsonl", rows.String()})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "counted", fmt.Sprint(r.Counts.RejectedBy), "map[Tag_SNS_Custom_* is neither a string nor an integer:4000]")
}

func TestJSONLRejects(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"keys in another case":               {`{"from_account":"a","To_Account":"b"}`, "1 From_Account is empty"},
		"a key twice":                        {line(`,"To_Account":"c"`), "1 To_Account is there twice"},
		"a digits-only id as a number":       {`{"From_Account":12345,"To_Account":"b","AddSource":"` + src + `"}`, "1 From_Account is not a string"},
		"null for an account":                {`{"From_Account":"a","To_Account":null,"AddSource":"` + src + `"}`, "1 To_Account is empty"},
		"a time as a string":                 {line(`,"AddTime":"5"`), "1 AddTime is not an integer"},
		"a time as a fraction":               {line(`,"AddTime":5.0`), "1 AddTime is not an integer"},
		"a time with an exponent":            {line(`,"AddTime":1e9`), "1 AddTime is not an integer"},
		"a time beyond 64 bits":              {line(`,"AddTime":9223372036854775808`), "1 AddTime is out of range"},
		"a time in milliseconds":             {line(`,"RemarkTime":1700000000000`), "1 RemarkTime has 13 digits: it is in milliseconds and has to be in seconds"},
		"groups as a string":                 {line(`,"GroupName":"x"`), "1 GroupName is not an array of strings"},
		"a group that is a number":           {line(`,"GroupName":["x",1]`), "1 GroupName is not an array of strings"},
		"custom items as an object":          {line(`,"CustomItem":{}`), "1 CustomItem is not an array of Tag and Value"},
		"a custom item without a tag":        {line(`,"CustomItem":[{"Value":1}]`), "1 CustomItem is not an array of Tag and Value"},
		"a custom item that is a string":     {line(`,"CustomItem":["x"]`), "1 CustomItem is not an array of Tag and Value"},
		"a custom value that is a fraction":  {line(`,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":1.5}]`), "1 CustomItem is neither a string nor an integer"},
		"a custom value that is a bool":      {line(`,"Tag_SNS_Custom_A":true`), "1 Tag_SNS_Custom_A is neither a string nor an integer"},
		"a custom value beyond 64 bits":      {line(`,"Tag_SNS_Custom_A":18446744073709551616`), "1 Tag_SNS_Custom_A is out of range"},
		"a custom tag twice":                 {line(`,"Tag_SNS_Custom_A":"x","CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":"y"}]`), "1 Tag_SNS_Custom_A is there twice"},
		"a tag that is none":                 {line(`,"CustomItem":[{"Tag":"Level","Value":1}]`), "1 CustomItem is not Tag_SNS_Custom_ and 1 to 8 English letters"},
		"a tag as a key that is none":        {line(`,"Tag_SNS_Custom_my-tag":1`), "1 CustomItem is not Tag_SNS_Custom_ and 1 to 8 English letters"},
		"Value twice":                        {line(`,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":1,"Value":2}]`), "1 CustomItem is there twice"},
		"invalid UTF-8 in an id":             {`{"From_Account":"a` + "\xff" + `","To_Account":"b"}`, "1 is not valid UTF-8"},
		"half a surrogate pair":              {`{"From_Account":"a\ud800","To_Account":"b"}`, "1 " + reasonSurrogate},
		"the wrong half of a surrogate pair": {`{"From_Account":"a\ude42\ud83d","To_Account":"b"}`, "1 " + reasonSurrogate},
		"half a surrogate pair at the end":   {line(`,"Remark":"x\ud83d"`), "1 " + reasonSurrogate},
		"half a surrogate pair in a key":     {line(`,"\ud83dx\u0041":1`), "1 " + reasonSurrogate},
		"half a surrogate pair, cut short":   {line(`,"x":"\ud83d\ude4`), "1 " + reasonSurrogate},
		"a control character, escaped":       {`{"From_Account":"a\u0000","To_Account":"b"}`, "1 From_Account has a control character"},
		"a control character, raw":           {"{\"From_Account\":\"a\tb\",\"To_Account\":\"b\"}", "1 is not a JSON object in one line"},
		"an array":                           {"[" + line("") + "]", "1 is not a JSON object in one line"},
		"two objects":                        {line("") + line(""), "1 is not a JSON object in one line"},
		"half an object":                     {strings.TrimSuffix(line(""), "}"), "1 is not a JSON object in one line"},
		"a comma too many":                   {line(","), "1 is not a JSON object in one line"},
		"NUL after it":                       {line("") + "\x00", "1 is not a JSON object in one line"},
		"a number with a leading zero":       {line(`,"AddTime":05`), "1 is not a JSON object in one line"},
		"null":                               {"null", "1 is not a JSON object in one line"},
		"nested without end":                 {line(`,"x":` + strings.Repeat("[", 100000)), "1 is not a JSON object in one line"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, Options{}, "a.jsonl", c.line+"\n"+line("")+"\n")
			equal(t, "rejected", r.reasons(), c.want)
			equal(t, "the next line", r.pairs(), "a>b@2")
			equal(t, "row", r.Rejected[0][4], c.line)
		})
	}
}
