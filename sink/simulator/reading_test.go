package simulator

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFriendCheck(t *testing.T) {
	a := start(t, Config{App: App{Missing: NewSet("nobody")}})
	a.sim.Put("a", Friend{To: "both"}, Friend{To: "mine"})
	a.sim.Put("both", Friend{To: "a"})
	a.sim.Put("theirs", Friend{To: "a"})
	relations := func(kind string) map[string]string {
		v := a.post(apiCheck, `{"From_Account":"a","To_Account":["both","mine","theirs","none","nobody"],"CheckType":"CheckResult_Type_`+kind+`"}`).want(t, 0)
		m := map[string]string{}
		for _, it := range v.json["InfoItem"].([]any) {
			it := it.(map[string]any)
			m[it["To_Account"].(string)] = strings.TrimPrefix(it["Relation"].(string), "CheckResult_Type_")
		}
		if v.results["nobody"] != 30003 || !strings.Contains(string(v.raw), `"Fail_Account":["nobody"]`) {
			t.Errorf("answer: %s", v.raw)
		}
		return m
	}
	single := map[string]string{"both": "AWithB", "mine": "AWithB", "theirs": "NoRelation", "none": "NoRelation", "nobody": "NoRelation"}
	if got := relations("Single"); !maps.Equal(got, single) {
		t.Errorf("Single: %v", got)
	}
	a.post(apiCheck, `{"From_Account":"a","To_Account":["b"]}`).want(t, 30001)
	a.post(apiCheck, `{"From_Account":"a","To_Account":["b"],"CheckType":"Single"}`).want(t, 30001)
	a.post(apiCheck, `{"From_Account":"a","To_Account":[],"CheckType":"CheckResult_Type_Single"}`).want(t, 30001)
	a.post(apiCheck, `{"From_Account":"a","To_Account":[1],"CheckType":"CheckResult_Type_Single"}`).want(t, 60015)
	a.post(apiCheck, `{"From_Account":"a","To_Account":["`+strings.Join(names("x", 1001), `","`)+`"],"CheckType":"CheckResult_Type_Single"}`).want(t, 30001)
	if s := a.sim.Stats(); s.PairsChecked != 5 {
		t.Errorf("%d pairs checked", s.PairsChecked)
	}
}

func TestFriendDelete(t *testing.T) {
	a := start(t, Config{})
	a.sim.Put("a", Friend{To: "b"}, Friend{To: "c"})
	a.sim.Put("b", Friend{To: "a"})
	a.sim.Put("c", Friend{To: "a"})
	v := a.post(apiDelete, `{"From_Account":"a","To_Account":["b","x"],"DeleteType":"Delete_Type_Single"}`).want(t, 0)
	if v.results["b"] != 0 || v.results["x"] != 31704 || a.sim.Has("a", "b") || !a.sim.Has("b", "a") {
		t.Errorf("results %v", v.results)
	}
	if s := a.sim.Stats(); s.GraphEdges != 3 || s.GraphAccounts != 3 {
		t.Errorf("stats: %+v", s)
	}
}

func TestFriendUpdate(t *testing.T) {
	a := start(t, Config{Readings: Readings{NoAddTime: true}})
	a.post(apiImport, itemBody("a", "b", `"Remark":"old","GroupName":["g"],"CustomItem":[{"Tag":"Tag_SNS_Custom_S","Value":"s"},{"Tag":"Tag_SNS_Custom_I","Value":1}]`)).want(t, 0)
	update := func(to, items string) map[string]int {
		return a.post(apiUpdate, `{"From_Account":"a","UpdateItem":[{"To_Account":"`+to+`","SnsItem":[`+items+`]}]}`).want(t, 0).results
	}
	if r := update("b", `{"Tag":"Tag_SNS_IM_Remark","Value":"new"},{"Tag":"Tag_SNS_Custom_I","Value":0}`); r["b"] != 0 {
		t.Errorf("results %v", r)
	}
	want := Friend{To: "b", Remark: "new", Groups: []string{"g"}, AddSource: "AddSource_Type_Import", Custom: []Custom{{"Tag_SNS_Custom_S", "s", false}, {"Tag_SNS_Custom_I", "0", true}}}
	if got := a.sim.graph.friends("a"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, refused := range []string{
		`{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_X"}`, `{"Tag":"Tag_SNS_IM_AddTime","Value":1}`, `{"Tag":"Tag_SNS_IM_Remark","Value":""}`,
		`{"Tag":"Tag_SNS_IM_Group","Value":[]}`, `{"Tag":"Tag_SNS_IM_Remark","Value":1}`, `{"Tag":"Tag_SNS_IM_Group","Value":"g"}`, `{"Tag":"Tag_SNS_Custom_I","Value":[]}`, `{}`, ``, `{"Tag":"Tag_SNS_Custom_a1","Value":"x"}`, `{"Tag":"Tag_SNS_IM_Remark","Value":"` + strings.Repeat("r", 97) + `"}`,
	} {
		if r := update("b", refused); r["b"] != 30001 {
			t.Errorf("%s: results %v", refused, r)
		}
	}
	if r := update("stranger", `{"Tag":"Tag_SNS_IM_Remark","Value":"x"}`); r["stranger"] != 30001 || a.sim.Has("a", "stranger") {
		t.Errorf("results %v", r)
	}
	if s := a.sim.Stats(); s.EdgesApplied != 1 {
		t.Errorf("stats: %+v", s)
	}
}

func TestAccountsThatAreRefused(t *testing.T) {
	a := start(t, Config{App: App{Accounts: func(string) bool { return false }, Refused: NewSet("bad")}, Limits: Limits{MaxAccounts: 3}})
	a.sim.importAccount("administrator", 0)
	v := a.post(apiAccountsImport, `{"AccountList":[{"UserID":"x"},{"UserID":"bad"},{"UserID":"y"}]}`).want(t, 0)
	if !strings.Contains(string(v.raw), `"FailAccounts":["bad"]`) {
		t.Errorf("answer: %s", v.raw)
	}
	a.post(apiAccountsImport, `{"AccountList":[{"UserID":"x"},{"UserID":"z"}]}`).want(t, 70398)
	if s := a.sim.Stats(); s.AccountsImported != 2 {
		t.Errorf("%d accounts imported", s.AccountsImported)
	}
}

// Every field goes round: what friend_import was given is what friend_get and the graph give back,
// integers as integers.
func TestFieldsGoRound(t *testing.T) {
	a := start(t, Config{Readings: Readings{NoAddTime: true}})
	a.post(apiImport, itemBody("a", "b", `"Remark":"r\"\\\u0001é","RemarkTime":5,"GroupName":["g","h"],"AddWording":"w","AddTime":1420000001,`+
		`"CustomItem":[{"Tag":"Tag_SNS_Custom_S","Value":"0"},{"Tag":"Tag_SNS_Custom_I","Value":0}]`)).want(t, 0)
	a.imports("a", "c").want(t, 0)
	v := a.post(apiGet, `{"From_Account":"a","StartIndex":0,"StandardSequence":0,"CustomSequence":0}`).want(t, 0)
	const want = `{"UserDataItem":[{"To_Account":"b","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Import"},` +
		`{"Tag":"Tag_SNS_IM_Remark","Value":"r\"\\\u0001é"},{"Tag":"Tag_SNS_IM_Group","Value":["g","h"]},{"Tag":"Tag_SNS_IM_AddWording","Value":"w"},` +
		`{"Tag":"Tag_SNS_IM_AddTime","Value":1420000001},{"Tag":"Tag_SNS_Custom_S","Value":"0"},{"Tag":"Tag_SNS_Custom_I","Value":0}]},` +
		`{"To_Account":"c","ValueItem":[{"Tag":"Tag_SNS_IM_AddSource","Value":"AddSource_Type_Import"}]}],` +
		`"StandardSequence":3,"CustomSequence":2,"FriendNum":2,"CompleteFlag":1,"NextStartIndex":0,"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`
	if string(v.raw) != want {
		t.Errorf("got  %s\nwant %s", v.raw, want)
	}
	b := Friend{To: "b", Remark: "r\"\\\x01é", RemarkTime: 5, Groups: []string{"g", "h"}, AddSource: "AddSource_Type_Import", AddWording: "w", AddTime: 1420000001,
		Custom: []Custom{{"Tag_SNS_Custom_S", "0", false}, {"Tag_SNS_Custom_I", "0", true}}}
	if got := a.sim.graph.friends("a")[0]; !reflect.DeepEqual(got, b) {
		t.Errorf("graph has %+v", got)
	}
	for body, pieces := range map[string]string{
		`"StandardSequence":3`:                    "b Tag_SNS_Custom_S c",
		`"CustomSequence":2`:                      "Tag_SNS_IM_Remark c",
		`"StandardSequence":3,"CustomSequence":2`: "",
		`"StandardSequence":2,"CustomSequence":1`: "Tag_SNS_IM_Remark Tag_SNS_Custom_S",
	} {
		v := a.post(apiGet, `{"From_Account":"a","StartIndex":0,`+body+`}`).want(t, 0)
		for _, p := range []string{"Tag_SNS_IM_Remark", "Tag_SNS_Custom_S"} {
			if strings.Contains(string(v.raw), p) != strings.Contains(pieces, p) {
				t.Errorf("with %s: %s", body, v.raw)
			}
		}
	}
}

func TestFriendGetPages(t *testing.T) {
	for _, size := range []int{1, 7, 100} {
		a := start(t, Config{Readings: Readings{PageSize: size}})
		for _, n := range []int{0, 1, 99, 100, 101, 250} {
			from := fmt.Sprint("u", n)
			for _, id := range names("b", n) {
				a.sim.Put(from, Friend{To: id})
			}
			var got []string
			at, calls := 0.0, 0
			for complete := 0.0; complete == 0; calls++ {
				v := a.post(apiGet, fmt.Sprintf(`{"From_Account":%q,"StartIndex":%d}`, from, int(at))).want(t, 0)
				got = append(got, v.order...)
				complete, at = v.json["CompleteFlag"].(float64), v.json["NextStartIndex"].(float64)
				if v.json["FriendNum"].(float64) != float64(n) || len(v.order) > size {
					t.Fatalf("page: %s", v.raw)
				}
			}
			if !slices.Equal(got, names("b", n)) || calls != max(1, (n+size-1)/size) {
				t.Errorf("page size %d, %d friends: %d calls, got %d", size, n, calls, len(got))
			}
			v := a.post(apiGet, fmt.Sprintf(`{"From_Account":%q,"StartIndex":%d}`, from, n+5)).want(t, 0)
			if len(v.order) != 0 || v.json["CompleteFlag"].(float64) != 1 {
				t.Errorf("after the end: %s", v.raw)
			}
		}
		a.post(apiGet, `{"From_Account":"x"}`).want(t, 30001)
		a.post(apiGet, `{"From_Account":"x","StartIndex":"0"}`).want(t, 30001)
		a.post(apiGet, `{"From_Account":"x","StartIndex":-1}`).want(t, 30001)
		a.sim.Reconfigure(func(c *Config) { c.Outages = []Outage{{Fault: Fault{Kind: FaultStatus, Code: 500}}} })
		if v := a.post(apiGet, `{"From_Account":"x"}`); v.http != 500 {
			t.Errorf("HTTP %d, want 500: %v", v.http, v.err)
		}
	}
	a := start(t, Config{Compact: true})
	a.post(apiGet, `{"From_Account":"a","StartIndex":0}`).want(t, 0)
	a.imports("a", "b")
	a.post(apiGet, `{"From_Account":"a","StartIndex":0}`).want(t, 30006)
}

// TestOddLists: each of these was seen, or is what a client must live with.
func TestOddLists(t *testing.T) {
	friends := func(c Config, from string, most int) (list []string, pages int, num float64) {
		a := start(t, c)
		for _, name := range names("f", 5) {
			a.sim.Put(from, Friend{To: name})
		}
		for index := 0.0; pages < most; pages++ {
			v := a.post(apiGet, fmt.Sprintf(`{"From_Account":%q,"StartIndex":%d}`, from, int(index))).want(t, 0)
			for _, it := range v.json["UserDataItem"].([]any) {
				it := it.(map[string]any)
				tags := 0
				for _, value := range it["ValueItem"].([]any) {
					if strings.HasPrefix(value.(map[string]any)["Tag"].(string), "Tag_Other") {
						tags++
					}
				}
				list = append(list, strings.TrimPrefix(it["To_Account"].(string), "f000")+strings.Repeat("+", tags))
			}
			num = v.json["FriendNum"].(float64)
			next := v.json["NextStartIndex"].(float64)
			if v.json["CompleteFlag"].(float64) != 0 {
				return list, pages + 1, num
			}
			if next <= index {
				t.Fatalf("page at %v leads to %v", index, next)
			}
			index = next
		}
		return list, pages, num
	}
	whole := []string{"0", "1", "2", "3", "4"}
	tagged := []string{}
	for _, name := range whole {
		tagged = append(tagged, name+"++")
	}
	for name, test := range map[string]struct {
		faults Faults
		list   []string
		pages  int
		num    float64
	}{
		"none":              {Faults{}, whole, 3, 5},
		"somebody else's":   {Faults{OddLists: NewSet("z"), FriendNumOff: 15, EmptyPages: 2, EndlessLists: true}, whole, 3, 5},
		"FriendNum":         {Faults{FriendNumOff: 15}, whole, 3, 20},
		"less":              {Faults{FriendNumOff: -5}, whole, 3, 0},
		"empty pages":       {Faults{EmptyPages: 2}, whole, 9, 5},
		"other tags":        {Faults{OtherTags: NewSet("Tag_Other1", "Tag_Other2")}, tagged, 3, 5},
		"endless":           {Faults{EndlessLists: true}, slices.Concat(whole, whole, whole, whole)[:17], 10, 5},
		"endless and empty": {Faults{EndlessLists: true, EmptyPages: 1}, slices.Concat(whole, whole)[:9], 10, 5},
	} {
		list, pages, num := friends(Config{Readings: Readings{PageSize: 2}, Faults: test.faults}, "a", 10)
		if !slices.Equal(list, test.list) || pages != test.pages || num != test.num {
			t.Errorf("%s: %v on %d pages, FriendNum %v; want %v on %d, %v", name, list, pages, num, test.list, test.pages, test.num)
		}
	}
}
