package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"friendmigrate/migrate"
)

// validate holds one edge against the rules.
func validate(o Options, e migrate.Edge, n numbers) (migrate.Edge, reject, *validator) {
	v := &validator{rules: o.rules()}
	r := v.check(&e, n)
	return e, r, v
}

func plain() migrate.Edge { return migrate.Edge{From: "a", To: "b", AddSource: src} }

func TestRequiredFields(t *testing.T) {
	bytes32 := strings.Repeat("x", 32)
	for name, c := range map[string]struct {
		set  func(*migrate.Edge)
		want reject
	}{
		"valid":                       {func(e *migrate.Edge) {}, reject{}},
		"32 bytes":                    {func(e *migrate.Edge) { e.From = bytes32 }, reject{}},
		"33 bytes":                    {func(e *migrate.Edge) { e.From = bytes32 + "x" }, reject{nameFrom, reasonLong}},
		"33 bytes, 11 characters":     {func(e *migrate.Edge) { e.To = strings.Repeat("汉", 11) }, reject{nameTo, reasonLong}},
		"no From_Account":             {func(e *migrate.Edge) { e.From = "" }, reject{nameFrom, reasonEmpty}},
		"no To_Account":               {func(e *migrate.Edge) { e.To = "" }, reject{nameTo, reasonEmpty}},
		"self":                        {func(e *migrate.Edge) { e.To = "a" }, reject{nameTo, reasonSelf}},
		"not UTF-8":                   {func(e *migrate.Edge) { e.To = "b\xff" }, reject{nameTo, reasonUTF8}},
		"half a surrogate":            {func(e *migrate.Edge) { e.To = "\xed\xa0\x80" }, reject{nameTo, reasonUTF8}},
		"tab":                         {func(e *migrate.Edge) { e.From = "a\t" }, reject{nameFrom, reasonControl}},
		"NUL":                         {func(e *migrate.Edge) { e.From = "a\x00" }, reject{nameFrom, reasonControl}},
		"DEL":                         {func(e *migrate.Edge) { e.From = "a\x7f" }, reject{nameFrom, reasonControl}},
		"C1":                          {func(e *migrate.Edge) { e.From = "a\u0085" }, reject{nameFrom, reasonControl}},
		"white space is not trimmed":  {func(e *migrate.Edge) { e.From, e.To = " a", "a" }, reject{}},
		"replacement character":       {func(e *migrate.Edge) { e.From = "\ufffd" }, reject{}},
		"no AddSource":                {func(e *migrate.Edge) { e.AddSource = "" }, reject{nameAddSource, reasonMissing}},
		"AddSource without a word":    {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_" }, reject{nameAddSource, reasonSource}},
		"AddSource of 8 letters":      {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_AZazLetr" }, reject{}},
		"AddSource of 9 letters":      {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_ninenines" }, reject{nameAddSource, reasonSource}},
		"AddSource with a digit":      {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_Web2" }, reject{nameAddSource, reasonSource}},
		"AddSource with a mark":       {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_a_b" }, reject{nameAddSource, reasonSource}},
		"AddSource in Chinese":        {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_网" }, reject{nameAddSource, reasonSource}},
		"AddSource without prefix":    {func(e *migrate.Edge) { e.AddSource = "Android" }, reject{nameAddSource, reasonSource}},
		"AddSource in another case":   {func(e *migrate.Edge) { e.AddSource = "addsource_type_Web" }, reject{nameAddSource, reasonSource}},
		"AddSource with line end":     {func(e *migrate.Edge) { e.AddSource = src + "\n" }, reject{nameAddSource, reasonSource}},
		"AddSource that is not UTF-8": {func(e *migrate.Edge) { e.AddSource = "AddSource_Type_\xff" }, reject{nameAddSource, reasonSource}},
	} {
		t.Run(name, func(t *testing.T) {
			e := plain()
			c.set(&e)
			_, r, _ := validate(Options{}, e, numbers{})
			equal(t, "reject", r, c.want)
			_, r, _ = validate(Options{InvalidField: "cut"}, e, numbers{})
			equal(t, "required fields are never fixed", r, c.want)
		})
	}
	e := plain()
	e.AddSource = ""
	e, _, _ = validate(Options{DefaultAddSource: "AddSource_Type_Web"}, e, numbers{})
	equal(t, "default", e.AddSource, "AddSource_Type_Web")
}

func TestUnusualCharactersEarnOneWarning(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("From_Account,To_Account,AddSource\nAZaz09_-,b," + src + "\n")
	for _, id := range []string{" a", "a b", "a@b", "汉", "🙂", "a.b"} {
		fmt.Fprintf(&rows, "%s,%s,%s\n", id, id+"x", src)
	}
	r := mustRead(t, Options{}, "a.csv", rows.String())
	equal(t, "valid", len(r.Edges), 7)
	equal(t, "unusual", r.Counts.Unusual, 6)
	equal(t, "first", r.Counts.UnusualAt.Line, 3)
}

func TestLimitsAreBytesOfUTF8(t *testing.T) {
	const han = "汉" // 3 bytes
	for _, c := range []struct {
		column   string
		limit    int
		set      func(*migrate.Edge, string)
		get      func(*migrate.Edge) string
		leftOver string // of a drop
	}{
		{nameRemark, 96, func(e *migrate.Edge, s string) { e.Remark = s }, func(e *migrate.Edge) string { return e.Remark }, ""},
		{nameAddWording, 256, func(e *migrate.Edge, s string) { e.AddWording = s }, func(e *migrate.Edge) string { return e.AddWording }, ""},
		{nameGroups, 30, func(e *migrate.Edge, s string) { e.Groups = []string{"ok", s} }, func(e *migrate.Edge) string { return strings.Join(e.Groups, ";") }, "ok"},
		{"Tag_SNS_Custom_A", 500, func(e *migrate.Edge, s string) {
			e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_A", Value: s}}
		}, func(e *migrate.Edge) string {
			if len(e.Custom) == 0 {
				return ""
			}
			return e.Custom[0].Value
		}, ""},
	} {
		whole := strings.Repeat("x", c.limit)
		long := strings.Repeat(han, c.limit/3+1) // few characters, too many bytes
		try := func(policy, value string) (string, reject, int) {
			e := plain()
			c.set(&e, value)
			e, r, v := validate(Options{InvalidField: policy}, e, numbers{})
			return strings.TrimPrefix(c.get(&e), "ok;"), r, len(v.changes)
		}
		if got, r, changes := try("", whole); got != whole || r != (reject{}) || changes != 0 {
			t.Errorf("%s of %d bytes: %v", c.column, c.limit, r)
		}
		if _, r, _ := try("reject", long); r != (reject{c.column, reasonLong}) {
			t.Errorf("%s, reject: %v", c.column, r)
		}
		if got, r, changes := try("drop", long); got != c.leftOver || r != (reject{}) || changes != 1 {
			t.Errorf("%s, drop: %q %v", c.column, got, r)
		}
		want := strings.Repeat(han, c.limit/3)
		if got, r, changes := try("cut", long); got != want || r != (reject{}) || changes != 1 {
			t.Errorf("%s, cut: %q %v", c.column, got, r)
		}
		if _, r, _ := try("", "x\xff"); r != (reject{c.column, reasonUTF8}) {
			t.Errorf("%s, not UTF-8: %v", c.column, r)
		}
		if got, _, _ := try("cut", "x\xffy"); got != "x" {
			t.Errorf("%s, not UTF-8, cut: %q", c.column, got)
		}
	}
}

func TestGroupsOverTheLimit(t *testing.T) {
	e := plain()
	for i := range 33 {
		e.Groups = append(e.Groups, fmt.Sprint("g", i))
	}
	with := func(policy string) (migrate.Edge, reject, *validator) {
		c := e
		c.Groups = append([]string(nil), e.Groups...)
		return validate(Options{InvalidField: policy}, c, numbers{})
	}
	_, r, _ := with("reject")
	equal(t, "reject", r, reject{nameGroups, reasonGroups})
	got, _, v := with("drop")
	equal(t, "drop", len(got.Groups)*10+len(v.changes), 1)
	got, _, v = with("cut")
	equal(t, "cut", len(got.Groups)*10+len(v.changes), 321)
	e.Groups = e.Groups[:32]
	_, r, _ = with("reject")
	equal(t, "32 groups", r, reject{})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]struct {
		digits string
		reason string
	}{
		"0": {"0", ""}, "-0": {"0", ""}, "000": {"0", ""}, "7": {"7", ""}, "007": {"7", ""}, "-7": {"-7", ""},
		"9007199254740993":     {"9007199254740993", ""}, // 2^53+1, which a float64 doesn't have
		"18446744073709551615": {"18446744073709551615", ""}, "18446744073709551616": {"", reasonRange},
		"-9223372036854775808": {"-9223372036854775808", ""}, "-9223372036854775809": {"", reasonRange},
		"1.0": {"", reasonNumber}, "1e3": {"", reasonNumber}, "0x10": {"", reasonNumber}, " 1": {"", reasonNumber}, "1_000": {"", reasonNumber},
		"+1": {"", reasonNumber}, "-": {"", reasonNumber}, "": {"", reasonNumber}, "x": {"", reasonNumber}, "١": {"", reasonNumber}, "--1": {"", reasonNumber},
	} {
		if digits, reason := integer(in); digits != want.digits || reason != want.reason {
			t.Errorf("%q: got %q %q, want %q %q", in, digits, reason, want.digits, want.reason)
		}
	}
	for _, policy := range []string{"reject", "drop", "cut"} {
		_, r, _ := validate(Options{InvalidField: policy}, plain(), numbers{addTime: "yesterday"})
		equal(t, "no number, "+policy, r, reject{nameAddTime, reasonNumber})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{remarkTime: "9223372036854775808"})
		equal(t, "too large, "+policy, r, reject{nameRemarkTime, reasonRange})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{remarkTime: "1700000000000000000"})
		equal(t, "nanoseconds, "+policy, r, reject{nameRemarkTime, reasonNanos})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{addTime: "1700000000000"})
		equal(t, "milliseconds, "+policy, r, reject{nameAddTime, reasonMillis})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{addTime: "20240115120000"})
		equal(t, "a time of a day, "+policy, r, reject{nameAddTime, reasonDate})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{addTime: "20240131"})
		equal(t, "a day, "+policy, r, reject{nameAddTime, reasonDate})
		_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{addTime: "-1700000000000000"})
		equal(t, "microseconds, "+policy, r, reject{nameAddTime, reasonMicros})
		for _, many := range []string{"202401151200", "000170000000012", "170000000000000", "-20240115120000123"} {
			_, r, _ = validate(Options{InvalidField: policy}, plain(), numbers{addTime: many})
			equal(t, many+", "+policy, r, reject{nameAddTime, reasonDigits})
		}
	}
	e, r, _ := validate(Options{}, plain(), numbers{addTime: "0001700000000"})
	equal(t, "zeros in front are no digits", fmt.Sprint(r.reason, e.AddTime), "1700000000")
	for _, seconds := range []string{"17000000000", "20241301", "19691231", "21000101", "12345678", "2024011"} {
		_, r, _ = validate(Options{}, plain(), numbers{addTime: seconds})
		equal(t, seconds+" is no date", r, reject{})
	}
	_, r, _ = validate(Options{}, plain(), numbers{addTime: "-5"})
	equal(t, "negative", r, reject{nameAddTime, reasonNegative})
	e, r, v := validate(Options{InvalidField: "cut"}, plain(), numbers{addTime: "-5", remarkTime: "6"})
	equal(t, "negative, cut", fmt.Sprint(r.reason, e.AddTime, e.RemarkTime, len(v.changes)), "0 6 1")
}

func TestCustomFields(t *testing.T) {
	o := Options{IntegerTags: []string{"Tag_SNS_Custom_Level", "Rank"}}
	r := mustRead(t, o, "a.csv", "From_Account,Tag_SNS_Custom_Level,To_Account,Tag_SNS_Custom_Note,AddSource,Tag_SNS_Custom_Rank\n"+
		"a,007,b,007,"+src+",-3\n"+"c,-0,d,0,"+src+",\n"+"e,x,f,,"+src+",\n")
	equal(t, "custom", fmt.Sprint(r.Edges[0].Custom), "[{Tag_SNS_Custom_Level 7 true} {Tag_SNS_Custom_Note 007 false} {Tag_SNS_Custom_Rank -3 true}]")
	equal(t, "0 is a value", fmt.Sprint(r.Edges[1].Custom), "[{Tag_SNS_Custom_Level 0 true} {Tag_SNS_Custom_Note 0 false}]")
	equal(t, "rejected", r.reasons(), "4 Tag_SNS_Custom_Level is not an integer")
	equal(t, "counted", r.Counts.RejectedBy["Tag_SNS_Custom_* is not an integer"], 1)
}

func TestCustomTagsThatAreNone(t *testing.T) {
	for _, tag := range []string{"Tag_SNS_Custom_my-tag", "Tag_SNS_Custom_ninenines", "Tag_SNS_Custom_A1", "Tag_SNS_Custom_标", "Tag_SNS_Custom_"} {
		header := "From_Account,To_Account,AddSource," + tag
		_, err := readTexts(t, Options{}, nil, text{"a.csv", header + "\na,b," + src + ",x\n"})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), strconv.Quote(tag)) {
			t.Errorf("%s as a column: got %v", tag, err)
		}
		r := mustRead(t, Options{Map: map[string]string{"Tag_SNS_Custom_A": tag}}, "a.csv", header+"\na,b,"+src+",x\n")
		equal(t, "mapped", fmt.Sprint(r.Edges[0].Custom), "[{Tag_SNS_Custom_A x false}]")
		for _, policy := range []string{"reject", "drop", "cut"} {
			r = mustRead(t, Options{InvalidField: policy}, "a.jsonl", line(`,"CustomItem":[{"Tag":"`+tag+`","Value":1}]`))
			equal(t, "in JSONL, "+policy, r.reasons(), "1 CustomItem "+reasonTag)
		}
		for _, o := range []Options{{IntegerTags: []string{tag}}, {Map: map[string]string{tag: "x"}}} {
			if err := o.Check(); !errors.Is(err, ErrUnusable) {
				t.Errorf("%s as an option: got %v", tag, err)
			}
		}
	}
}

func TestEmptyAndZeroTimeAreAbsent(t *testing.T) {
	csv := mustRead(t, Options{}, "a.csv", "From_Account,To_Account,AddSource,Remark,RemarkTime,GroupName,AddWording,AddTime\na,b,"+src+",,0,;;,,000\n")
	jsonl := mustRead(t, Options{}, "a.jsonl",
		`{"From_Account":"a","To_Account":"b","AddSource":"`+src+`","Remark":"","RemarkTime":0,"GroupName":[],"AddWording":null,"AddTime":-0,"CustomItem":[{"Tag":"Tag_SNS_Custom_B","Value":""}]}`)
	for _, r := range []result{csv, jsonl} {
		if len(r.Edges) != 1 {
			t.Fatalf("rejected: %s", r.reasons())
		}
		e := r.Edges[0]
		equal(t, "edge", fmt.Sprintf("%q %d %d %q %d %d", e.Remark, e.RemarkTime, len(e.Groups), e.AddWording, e.AddTime, len(e.Custom)), `"" 0 0 "" 0 0`)
	}
}

func TestChangesAreListed(t *testing.T) {
	r := mustRead(t, Options{InvalidField: "cut"}, "a.csv", "From_Account,To_Account,AddSource,Remark,AddTime\n"+
		"a,b,"+src+","+strings.Repeat("汉", 33)+",-1\n"+"c,c,"+src+","+strings.Repeat("汉", 33)+",\n")
	equal(t, "changed rows", r.Counts.Changed, 1)
	equal(t, "listed", len(r.Changed), 2)
	equal(t, "first", strings.Join(r.Changed[0], ","), "a.csv,2,a,b,AddTime,is negative,-1,")
	equal(t, "second", strings.Join(r.Changed[1], ","), "a.csv,2,a,b,Remark,is over its limit in bytes,"+strings.Repeat("汉", 33)+","+strings.Repeat("汉", 32))
}

func FuzzCutText(f *testing.F) {
	f.Add("汉字", 4)
	f.Add("a\xffb", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := cutText(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || !strings.HasPrefix(s, got) {
			t.Fatalf("cut %q at %d: %q", s, limit, got)
		}
		if rest := s[len(got):]; rest != "" {
			if r, size := utf8.DecodeRuneInString(rest); !(r == utf8.RuneError && size == 1) && len(got)+size <= limit {
				t.Fatalf("cut %q at %d: %q could be longer", s, limit, got)
			}
		}
	})
}
