package sink

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const okTail = `"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`

func scanFor(data string, accounts ...string) (*answerItems, envelope, error) {
	v := newAnswerItems(friendItems, len(accounts), func(i int) string { return accounts[i] })
	e, err := scanAnswer([]byte(data), content{list: "ResultItem", item: v.item})
	if err == nil && e.ok() {
		v.finish(&e)
	}
	return v, e, err
}

func resultItem(to string, code int) string {
	return fmt.Sprintf(`{"To_Account":%q,"ResultCode":%d,"ResultInfo":"x%d"}`, to, code, code)
}

func codesOf(v *answerItems) string {
	var list []string
	for _, item := range v.items {
		switch {
		case !item.seen:
			list = append(list, "missing")
		case item.disputed:
			list = append(list, "disputed")
		default:
			list = append(list, fmt.Sprint(item.code))
		}
	}
	return strings.Join(list, " ")
}

// TestItemsGoByAccount: matched by position, shuffled answers swap outcomes.
func TestItemsGoByAccount(t *testing.T) {
	a, b, c := resultItem("a", 0), resultItem("b", 30010), resultItem("c", 30002)
	for _, test := range []struct {
		name, items, want string
		odd               tally
	}{
		{"in order", a + "," + b + "," + c, "0 30010 30002", tally{usable: 3}},
		{"shuffled", c + "," + a + "," + b, "0 30010 30002", tally{usable: 3}},
		{"reversed", c + "," + b + "," + a, "0 30010 30002", tally{usable: 3}},
		{"one missing", a + "," + c, "0 missing 30002", tally{usable: 2, missing: 1}},
		{"one foreign", a + "," + b + "," + c + "," + resultItem("z", 0), "0 30010 30002", tally{usable: 3, foreign: 1}},
		{"one repeated", a + "," + a + "," + b + "," + c, "0 30010 30002", tally{usable: 4, repeated: 1}},
		{"one disputed", a + "," + resultItem("a", 30001) + "," + b + "," + c, "disputed 30010 30002", tally{usable: 4, disputed: 1}},
		{"one disputed by its text", `{"To_Account":"a","ResultCode":30001,"ResultInfo":"Friend_Exist"},` + resultItem("a", 30001) + "," + b + "," + c, "disputed 30010 30002", tally{usable: 4, disputed: 1}},
		{"other case of the name", resultItem("A", 0) + "," + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, foreign: 1}},
		{"a number for a name", `{"To_Account":1,"ResultCode":0},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"no code", `{"To_Account":"a"},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"a null code", `{"To_Account":"a","ResultCode":null},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"a code in quotes", `{"To_Account":"a","ResultCode":"0"},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"a code with a point", `{"To_Account":"a","ResultCode":0.0},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"small letters", `{"to_account":"a","resultcode":0},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 1}},
		{"no object", `null,7,"a",[],` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, unreadable: 4}},
		{"not UTF-8 where nobody needs it", `{"x` + "\xff" + `":"` + "\xff" + `\n","To_Account":"a","ResultCode":0,"ResultInfo":"` + "\xff" + `"},` + b + "," + c, "0 30010 30002", tally{usable: 3}},
		{"not UTF-8 in a name", `{"To_Account":"a` + "\xff" + `","ResultCode":0},` + b + "," + c, "missing 30010 30002", tally{usable: 2, missing: 1, foreign: 1}},
		{"escaped name", `{"ResultCode":0,"To_Account":"\u0061"},` + b + "," + c, "0 30010 30002", tally{usable: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, _, err := scanFor(`{"ResultItem":[`+test.items+`],"Fail_Account":["b","c"],`+okTail, "a", "b", "c")
			if err != nil {
				t.Fatal(err)
			}
			if got := codesOf(v); got != test.want || v.tally != test.odd {
				t.Errorf("items %s %+v, want %s %+v", got, v.tally, test.want, test.odd)
			}
			if info := v.items[0].info; !utf8.ValidString(info) {
				t.Errorf("%q would be shown", info)
			}
		})
	}
}

// TestFailAccountDoesNotDecide: it may be absent, or at odds with ResultItem.
func TestFailAccountDoesNotDecide(t *testing.T) {
	for list, unlisted := range map[string]int{
		``: 1, `"Fail_Account":null,`: 1, `"Fail_Account":[],`: 1, `"Fail_Account":["b"],`: 0, `"Fail_Account":["a"],`: 2, `"Fail_Account":["a","b","z"],`: 1, `"Fail_Account":"b",`: 1,
	} {
		v, _, err := scanFor(`{`+list+`"ResultItem":[`+resultItem("a", 0)+","+resultItem("b", 30010)+`],`+okTail, "a", "b")
		if err != nil || codesOf(v) != "0 30010" || v.unlisted != unlisted {
			t.Errorf("with %q: %s, %d accounts at odds, want %d; %v", list, codesOf(v), v.unlisted, unlisted, err)
		}
	}
}

// TestNoFalseSuccess: Go's zero values make a success of {}, null and half an answer.
func TestNoFalseSuccess(t *testing.T) {
	good := `{"ResultItem":[` + resultItem("a", 0) + `],` + okTail
	if _, e, err := scanFor(good, "a"); err != nil || !e.ok() {
		t.Fatal("the good answer is not taken:", err)
	}
	bad := []string{
		``, ` `, `{}`, `null`, `true`, `[]`, `0`, `"OK"`, `<html><body>502</body></html>`, "\x1f\x8b\x08\x00", "\ufeff" + good, good + `x`, good + good, good + `{}`,
		`{"ActionStatus":"OK"}`, `{"ErrorCode":0}`, `{"ActionStatus":"OK","ErrorCode":null}`, `{"ActionStatus":"OK","ErrorCode":"0"}`, `{"ActionStatus":"OK","ErrorCode":0.0}`,
		`{"ActionStatus":"OK","ErrorCode":false}`, `{"ActionStatus":null,"ErrorCode":0}`, `{"ActionStatus":"ok","ErrorCode":0}`, `{"ActionStatus":"","ErrorCode":0}`,
		`{"ActionStatus":"FAIL","ErrorCode":0}`, `{"actionstatus":"OK","errorcode":0}`, `{"ActionStatus":"OK","ErrorCode":0,"ErrorCode":0}`,
		`{"ActionStatus":"OK","ActionStatus":"FAIL","ErrorCode":0}`, `{"ActionStatus":"OK","ErrorCode":1,"ErrorCode":0}`, `{"ActionStatus":"OK","ErrorCode":0,}`,
		`{"ResultItem":[],"ResultItem":[],` + okTail, strings.Repeat(`[`, 100), strings.Repeat(`{"a":`, 100000), `{"ActionStatus":"OK` + "\xff" + `","ErrorCode":0}`,
		`{"ResultItem":[{"To_Account":"a","ResultCode":1,"ResultCode":0}],` + okTail, `{"ErrorInfo":"\ud800",` + okTail, `{"ErrorInfo":"` + "\n" + `",` + okTail,
		`{'ActionStatus':'OK','ErrorCode':0}`, `{"ActionStatus":"OK","ErrorCode":00}`, `{"ActionStatus":"OK" "ErrorCode":0}`, `{"ActionStatus":"OK","ErrorCode":0//x` + "\n}",
	}
	for i := range len(good) {
		bad = append(bad, good[:i]) // half an answer, at each byte
	}
	for _, data := range bad {
		if _, e, err := scanFor(data, "a"); err == nil {
			t.Errorf("%.80q is taken as an answer, ok %v", data, e.ok())
		}
	}
}

// TestBothEnvelopes: OK with failed items, and FAIL with HTTP 200.
func TestBothEnvelopes(t *testing.T) {
	_, e, err := scanFor(`{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"Err_SNS_X`+"\xff"+`","ErrorDisplay":"`+"\xff"+`"}`, "a")
	if err != nil || e.ok() || e.code.value != 30001 || e.info != "Err_SNS_X\xff" {
		t.Errorf("%+v %v", e, err)
	}
	_, e, err = scanFor(`{"ActionStatus":"OK","ErrorCode":60007,"ErrorInfo":"x"}`, "a")
	if err != nil || e.ok() || e.code.value != 60007 {
		t.Errorf("OK with a code: %+v %v", e, err)
	}
}

// FuzzScanAnswer holds the decoder to encoding/json: what it takes is JSON and means the same
// there, and a success is one in every detail.
func FuzzScanAnswer(f *testing.F) {
	f.Add(`{"ResultItem":[` + resultItem("a", 0) + "," + resultItem("b", 30010) + `],"Fail_Account":["b"],` + okTail)
	f.Add(`{"ResultItem":[{"To_Account":"\u0061\ud83d\ude00","ResultCode":-0,"ResultInfo":"\"\\\/\b\f\n\r\t"}],` + okTail)
	f.Add(`{"ActionStatus":"FAIL","ErrorCode":30001,"ErrorInfo":"x"}`)
	f.Add(`{"x":[1.5e-3,true,false,null,{"y":[]}],` + okTail)
	f.Add(`{}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, data string) {
		accounts := []string{"a", "b", "a😀"}
		v, e, err := scanFor(data, accounts...)
		if err != nil {
			return
		}
		if !json.Valid([]byte(data)) {
			t.Fatalf("taken, but no JSON: %q", data)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(data), &want); err != nil {
			t.Fatal(err)
		}
		var status string
		var code json.Number
		if json.Unmarshal(want["ActionStatus"], &status) != nil || status != e.status.value {
			t.Fatalf("ActionStatus %q, want %s", e.status.value, want["ActionStatus"])
		}
		if json.Unmarshal(want["ErrorCode"], &code) != nil {
			t.Fatalf("ErrorCode %d from %s", e.code.value, want["ErrorCode"])
		}
		if n, err := code.Int64(); err != nil || n != e.code.value {
			t.Fatalf("ErrorCode %d from %s", e.code.value, code)
		}
		if !e.ok() {
			return
		}
		var items []json.RawMessage
		_ = json.Unmarshal(want["ResultItem"], &items)
		for i, item := range v.items {
			if item.seen && !slices.ContainsFunc(items, func(raw json.RawMessage) bool { return says(raw, accounts[i], item.code) }) {
				t.Fatalf("no item says %d of %s: %s", item.code, accounts[i], data)
			}
		}
	})
}

func says(raw json.RawMessage, to string, code int) bool {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return false
	}
	var name string
	var n json.Number
	if json.Unmarshal(m["To_Account"], &name) != nil || json.Unmarshal(m["ResultCode"], &n) != nil {
		return false
	}
	v, err := n.Int64()
	return err == nil && name == to && int(v) == code
}

func thousandItems() ([]string, []byte) {
	var accounts, items []string
	for _, e := range thousand() {
		accounts, items = append(accounts, e.To), append(items, resultItem(e.To, 0))
	}
	return accounts, []byte(`{"ResultItem":[` + strings.Join(items, ",") + `],` + okTail)
}

func BenchmarkDecodeAnswer1000(b *testing.B) {
	accounts, data := thousandItems()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		v := newAnswerItems(friendItems, len(accounts), func(i int) string { return accounts[i] })
		e, err := scanAnswer(data, content{list: "ResultItem", item: v.item})
		if err != nil || !e.ok() {
			b.Fatal(err)
		}
		v.finish(&e)
		if v.missing > 0 {
			b.Fatal("missing")
		}
	}
}

// BenchmarkDecodeAnswer1000Std is what it is measured against.
func BenchmarkDecodeAnswer1000Std(b *testing.B) {
	_, data := thousandItems()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var a struct {
			ResultItem []struct {
				To         string `json:"To_Account"`
				ResultCode *int
				ResultInfo string
			}
			ActionStatus string
			ErrorCode    *int
		}
		if err := json.Unmarshal(data, &a); err != nil {
			b.Fatal(err)
		}
	}
}

// TestWrongTypesAreNamed: a member that is there, but of another type, is not called absent.
func TestWrongTypesAreNamed(t *testing.T) {
	const item, page = `"ResultItem":[{"To_Account":"a","ResultCode":0}],`, `"FriendNum":0,"CompleteFlag":1,`
	for answer, want := range map[string]string{
		`{` + item + `"ActionStatus":"OK","ErrorCode":"0"}`:                                                "the answer's ErrorCode is a string, not an integer",
		`{` + item + `"ActionStatus":"OK","ErrorCode":null}`:                                               "the answer's ErrorCode is null, not an integer",
		`{` + item + `"ActionStatus":"OK","ErrorCode":0.5}`:                                                "the answer's ErrorCode is a number with a fraction or too large, not an integer",
		`{` + item + `"ActionStatus":"OK","ErrorCode":false}`:                                              "the answer's ErrorCode is a truth value, not an integer",
		`{` + item + `"ActionStatus":"OK","ErrorCode":[0]}`:                                                "the answer's ErrorCode is an array, not an integer",
		`{` + item + `"ActionStatus":"OK"}`:                                                                "the answer has no ErrorCode",
		`{` + item + `"ActionStatus":1,"ErrorCode":0}`:                                                     "the answer's ActionStatus is a number, not a string",
		`{` + item + `"ActionStatus":null,"ErrorCode":0}`:                                                  "the answer's ActionStatus is null, not a string",
		`{` + item + `"ActionStatus":{},"ErrorCode":0}`:                                                    "the answer's ActionStatus is an object, not a string",
		`{` + item + `"ErrorCode":0}`:                                                                      "the answer has no ActionStatus",
		`{"ResultItem":[{"To_Account":"a","ResultCode":"0"}],` + okTail:                                    "ResultCode is a string, not an integer",
		`{"ResultItem":[{"To_Account":"a","ResultCode":null}],` + okTail:                                   "ResultCode is null, not an integer",
		`{"ResultItem":[{"To_Account":"b","ResultCode":0}],` + okTail:                                      "the answer has no ResultItem for any account of the call",
		`{"ResultItem":[],` + okTail:                                                                       "the answer has no ResultItem for any account of the call",
		`{"ResultItem":null,` + okTail:                                                                     "the answer's ResultItem is null, not an array",
		`{"ResultItem":{},` + okTail:                                                                       "the answer's ResultItem is an object, not an array",
		`{` + okTail:                                                                                       "the answer has no ResultItem",
		`{"UserDataItem":[],"FriendNum":"0","CompleteFlag":1,` + okTail:                                    "the page's FriendNum is a string, not an integer",
		`{"UserDataItem":[],"FriendNum":0,"CompleteFlag":null,` + okTail:                                   "the page's CompleteFlag is null, not an integer",
		`{"UserDataItem":[],"FriendNum":0,"CompleteFlag":true,` + okTail:                                   "the page's CompleteFlag is a truth value, not an integer",
		`{"UserDataItem":[],"FriendNum":1,"CompleteFlag":0,"NextStartIndex":"1",` + okTail:                 "the page's NextStartIndex is a string, not an integer",
		`{"UserDataItem":null,"FriendNum":1,"CompleteFlag":1,` + okTail:                                    "the page has no UserDataItem",
		`{"UserDataItem":"",` + page + okTail:                                                              "the page's UserDataItem is a string, not an array",
		`{` + page + `"ActionStatus":"OK","ErrorCode":"0"}`:                                                "the answer's ErrorCode is a string, not an integer",
		`{"UserDataItem":[{"To_Account":"a"}],"CompleteFlag":1,` + okTail:                                  "the page has no FriendNum",
		`{"UserDataItem":[{"To_Account":"a"}],"FriendNum":9,"CompleteFlag":0,"NextStartIndex":0,` + okTail: "the page at index 0 leads to index 0",
	} {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fmt.Fprint(w, answer) }}
		c := testClient(t, s.serve(t), nil)
		_, err := c.Import(t.Context(), "A", edgesTo("a"))
		if strings.Contains(answer, "CompleteFlag") {
			_, err = c.Friends("A").Next(t.Context())
		}
		if e := callError(t, err); e.Info != want {
			t.Errorf("%s: %q, want %q", answer, e.Info, want)
		}
	}
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
		fmt.Fprint(w, `{"ResultItem":[{"To_Account":"a","ResultCode":"0"},{"To_Account":"b","ResultCode":0}],`+okTail)
	}}
	c := testClient(t, s.serve(t), nil)
	outcomes, err := c.Import(t.Context(), "A", edgesTo("a", "b", "c"))
	if err != nil || kinds(outcomes) != "again? imported again?" || outcomes[0].Info != "ResultCode is a string, not an integer" || outcomes[2].Info != "no ResultItem" {
		t.Errorf("%+v %v", outcomes, err)
	}
	_, err = c.Check(t.Context(), "A", []string{"a"})
	if e := callError(t, err); e.Info != "the answer has no InfoItem" {
		t.Errorf("%+v", e)
	}
}
