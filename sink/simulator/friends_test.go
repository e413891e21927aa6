package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// itemBody is a friend_import from a of one friend with some fields.
func itemBody(from, to, fields string) string {
	if fields != "" {
		fields = "," + fields
	}
	return fmt.Sprintf(`{"From_Account":%q,"AddFriendItem":[{"To_Account":%q,"AddSource":"AddSource_Type_Import"%s}]}`, from, to, fields)
}

func groups(n int) string {
	return `"GroupName":["` + strings.Join(names("g", n), `","`) + `"]`
}

// 96 characters instead of 96 bytes: limits are bytes of UTF-8, and each has a text of its own.
func TestFieldLimitsInBytes(t *testing.T) {
	custom := func(tag, value string) string { return fmt.Sprintf(`"CustomItem":[{"Tag":%q,"Value":%s}]`, tag, value) }
	tests := []struct {
		name, to, fields string
		code             int
		info             string
	}{
		{"remark of 96 bytes", "b", `"Remark":"` + strings.Repeat("好", 32) + `"`, 0, ""},
		{"remark of 33 characters and 99 bytes", "b", `"Remark":"` + strings.Repeat("好", 33) + `"`, 30001, "Remark_Illegal"},
		{"wording of 256 bytes", "b", `"AddWording":"` + strings.Repeat("w", 256) + `"`, 0, ""},
		{"wording of 257 bytes", "b", `"AddWording":"` + strings.Repeat("w", 257) + `"`, 30001, "Wording_Illegal"},
		{"group of 30 bytes", "b", `"GroupName":["` + strings.Repeat("友", 10) + `"]`, 0, ""},
		{"group of 31 bytes", "b", `"GroupName":["` + strings.Repeat("友", 10) + `g"]`, 30001, "Group_Illegal"},
		{"group without a name", "b", `"GroupName":[""]`, 30001, "Group_Illegal"},
		{"32 groups", "b", groups(32), 0, ""},
		{"33 groups", "b", groups(33), 30011, "Group_Num_Exceed_Threshold"},
		{"id of 32 bytes", strings.Repeat("b", 32), "", 0, ""},
		{"id of 33 bytes", strings.Repeat("b", 33), "", 30001, "To_Account_Illegal"},
		{"empty id", "", "", 30001, "To_Account_Illegal"},
		{"self", "a", "", 30001, "Self_Illegal"},
		{"custom string of 500 bytes", "b", custom("Tag_SNS_Custom_Letters", `"`+strings.Repeat("v", 500)+`"`), 0, ""},
		{"custom string of 501 bytes", "b", custom("Tag_SNS_Custom_Letters", `"`+strings.Repeat("v", 501)+`"`), 30001, "Custom_Value_Illegal"},
		{"custom integer", "b", custom("Tag_SNS_Custom_Letters", "18446744073709551615"), 0, ""},
		{"custom tag of 8 letters", "b", custom("Tag_SNS_Custom_Abcdefgh", "1"), 0, ""},
		{"custom tag of 9 letters", "b", custom("Tag_SNS_Custom_Abcdefghi", "1"), 30001, "Custom_Tag_Illegal"},
		{"custom tag without its prefix", "b", custom("Letters", "1"), 30001, "Custom_Tag_Illegal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := start(t, Config{})
			v := a.post(apiImport, itemBody("a", test.to, test.fields)).want(t, 0)
			if v.results[test.to] != test.code || !strings.Contains(string(v.raw), test.info+`"`) {
				t.Errorf("item answered %d, want %d %s: %s", v.results[test.to], test.code, test.info, v.raw)
			}
			if a.sim.Has("a", test.to) != (test.code == 0) {
				t.Errorf("in the graph: %v", a.sim.Has("a", test.to))
			}
		})
	}
}

func TestAddSource(t *testing.T) {
	a := start(t, Config{})
	for source, code := range map[string]int{
		"AddSource_Type_IOS": 0, "AddSource_Type_Abcdefgh": 0, "AddSource_Type_Abcdefghi": 30001, "AddSource_Type_": 30001, "AddSource_Type_A1": 30001,
		"Import": 30001, "": 30001, "addsource_type_IOS": 30001,
	} {
		v := a.post(apiImport, fmt.Sprintf(`{"From_Account":"a","AddFriendItem":[{"To_Account":"b","AddSource":%q}]}`, source)).want(t, 0)
		if v.results["b"] != code {
			t.Errorf("AddSource %q is answered %d, want %d", source, v.results["b"], code)
		}
	}
	if v := a.post(apiImport, `{"From_Account":"a","AddFriendItem":[{"To_Account":"c"}]}`).want(t, 0); v.results["c"] != 30001 {
		t.Errorf("a missing AddSource is answered %d", v.results["c"])
	}
	if v := a.post(apiImport, `{"From_Account":"a","AddFriendItem":[{"AddSource":"AddSource_Type_IOS"}]}`).want(t, 0); v.results[""] != 30001 {
		t.Errorf("a missing To_Account is answered %d", v.results[""])
	}
}

func TestTheListIsFullAt3000Friends(t *testing.T) {
	for _, compact := range []bool{false, true} {
		a := start(t, Config{Compact: compact})
		ids := names("b", 3002)
		for k := 0; k < 3000; k += 1000 {
			a.imports("a", ids[k:k+1000]...).want(t, 0)
		}
		v := a.imports("a", ids[2999:]...).want(t, 0)
		if want := map[string]int{ids[2999]: 0, ids[3000]: 30010, ids[3001]: 30010}; !maps.Equal(v.results, want) {
			t.Errorf("compact %v: results %v, want %v", compact, v.results, want)
		}
		if !strings.Contains(string(v.raw), "Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold") {
			t.Errorf("text: %s", v.raw)
		}
		a.sim.Remove("a", ids[0])
		if v := a.imports("a", ids[3000]).want(t, 0); v.results[ids[3000]] != 0 {
			t.Errorf("compact %v: no room after a removal", compact)
		}
		a.sim.Reconfigure(func(c *Config) { c.FullRefuses = true })
		a.imports("a", ids[3001]).want(t, 30010)
		a.imports("a", ids[3000]).want(t, 0) // there already: fits
	}
}

func TestGroupsAreCountedPerUser(t *testing.T) {
	for _, compact := range []bool{false, true} {
		a := start(t, Config{Compact: compact})
		a.post(apiImport, itemBody("a", "b", groups(31)))
		v := a.post(apiImport, itemBody("a", "c", `"GroupName":["g0000","other"]`))
		if v.results["c"] != 0 {
			t.Errorf("the 32nd group is answered %d", v.results["c"])
		}
		v = a.post(apiImport, itemBody("a", "d", `"GroupName":["one more"]`))
		if v.results["d"] != 30011 || a.sim.Has("a", "d") {
			t.Errorf("the 33rd group is answered %d", v.results["d"])
		}
		a.sim.Reconfigure(func(c *Config) { c.FullRefuses = true })
		a.post(apiImport, itemBody("a", "d", `"GroupName":["one more"]`)).want(t, 30011)
		a.post(apiImport, itemBody("z", "d", `"GroupName":["one more"]`)).want(t, 0)
	}
	a := start(t, Config{})
	a.post(apiImport, itemBody("a", "b", groups(32)))
	a.post(apiImport, itemBody("a", "b", `"GroupName":["x"]`)).want(t, 0)
	if v := a.post(apiImport, itemBody("a", "c", groups(31))); v.results["c"] != 0 {
		t.Error("groups of an overwritten friend still count")
	}
}

func TestUnknownAccounts(t *testing.T) {
	known := NewSet("a", "b", "administrator")
	a := start(t, Config{App: App{Accounts: known.Has, Missing: NewSet("c")}})
	v := a.imports("a", "b", "c", "d").want(t, 0)
	if want := map[string]int{"b": 0, "c": 30003, "d": 30003}; !maps.Equal(v.results, want) {
		t.Errorf("results %v, want %v", v.results, want)
	}
	if v := a.imports("d", "b").want(t, 30003); v.info != "Err_Sns_Invalid_Account" {
		t.Errorf("text %q", v.info)
	}
	a.post(apiGet, `{"From_Account":"d","StartIndex":0}`).want(t, 30003)
	a.post(apiCheck, `{"From_Account":"d","To_Account":["a"],"CheckType":"CheckResult_Type_Single"}`).want(t, 30003)
	v = a.post(apiAccountCheck, `{"CheckItem":[{"UserID":"a"},{"UserID":"d"}]}`).want(t, 0)
	const want = `{"ResultItem":[{"UserID":"a","AccountStatus":"Imported","ResultCode":0,"ResultInfo":""},` +
		`{"UserID":"d","AccountStatus":"NotImported","ResultCode":0,"ResultInfo":""}],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`
	if string(v.raw) != want {
		t.Errorf("got %s", v.raw)
	}
	a.post(apiAccountsImport, `{"Accounts":["d"]}`).want(t, 0)
	a.post(apiAccountsImport, `{"AccountList":[{"UserID":"e"}]}`).want(t, 0)
	a.post(apiAccountsImport, `{"Accounts":["c"]}`).want(t, 0)
	a.imports("d", "e", "c").want(t, 0)
	if s := a.sim.Stats(); s.AccountsImported != 3 || a.sim.friends("d") != 2 {
		t.Errorf("imported accounts don't exist: %+v", s)
	}
}

func TestAccountCalls(t *testing.T) {
	a := start(t, Config{})
	list := func(n int) string {
		return `{"CheckItem":[{"UserID":"` + strings.Join(names("u", n), `"},{"UserID":"`) + `"}]}`
	}
	a.post(apiAccountCheck, list(100)).want(t, 0)
	a.post(apiAccountCheck, list(101)).want(t, 70206)
	a.post(apiAccountCheck, `{"CheckItem":[]}`).want(t, 70206)
	a.post(apiAccountCheck, `{}`).want(t, 70206)
	a.post(apiAccountCheck, `{"CheckItem":[{}]}`).want(t, 70402)
	a.post(apiAccountCheck, `{"CheckItem":[{"UserID":5}]}`).want(t, 60015)
	a.post(apiAccountCheck, `{"CheckItem":[{"UserID":"`+strings.Repeat("x", 33)+`"}]}`).want(t, 70402)
	if v := a.post(apiAccountsImport, `{"Accounts":["d"]}`).want(t, 0); !strings.Contains(string(v.raw), `"FailAccounts":[]`) {
		t.Errorf("answer: %s", v.raw)
	}
}

// Re-import is documented nowhere: each reading is a switch.
func TestReimportReadings(t *testing.T) {
	for _, test := range []struct {
		how  Reimport
		code int
	}{{ReimportSuccess, 0}, {ReimportAlready, 30015}, {ReimportExist, 30001}, {ReimportSister, 30001}} {
		for _, keep := range []bool{false, true} {
			a := start(t, Config{Readings: Readings{Reimport: test.how, KeepFields: keep}})
			a.post(apiImport, itemBody("a", "b", `"Remark":"old"`))
			v := a.post(apiImport, itemBody("a", "b", `"Remark":"new"`)).want(t, 0)
			if v.results["b"] != test.code {
				t.Errorf("answered %d, want %d", v.results["b"], test.code)
			}
			if exist := strings.Contains(string(v.raw), "Friend_Exist"); exist != (test.how == ReimportExist) {
				t.Errorf("Friend_Exist in the text: %v", exist)
			}
			if exist := strings.Contains(string(v.raw), "Already_Exist"); exist != (test.how == ReimportSister) {
				t.Errorf("Already_Exist in the text: %v", exist)
			}
			want := map[bool]string{false: "new", true: "old"}[keep]
			a.sim.Graph(func(_ string, f Friend) bool {
				if f.Remark != want {
					t.Errorf("keep %v: the remark is %q", keep, f.Remark)
				}
				return true
			})
			if s := a.sim.Stats(); s.EdgesSent != 2 || s.EdgesAgain != 1 || s.CallsAgain != 1 || s.EdgesApplied != 1 || s.EdgesReapplied != 1 || s.GraphEdges != 1 {
				t.Errorf("stats: %+v", s)
			}
		}
	}
}

func TestDuplicateToReadings(t *testing.T) {
	body := `{"From_Account":"a","AddFriendItem":[{"To_Account":"b","AddSource":"AddSource_Type_Import","Remark":"1"},` +
		`{"To_Account":"c","AddSource":"AddSource_Type_Import"},{"To_Account":"b","AddSource":"AddSource_Type_Import","Remark":"2"}]}`
	for _, test := range []struct {
		how    DuplicateTo
		order  []string
		remark string
		code   int
	}{
		{DuplicateEach, []string{"b", "c", "b"}, "2", 0},
		{DuplicateOnce, []string{"c", "b"}, "2", 0},
		{DuplicateItem, []string{"b", "c", "b"}, "1", 30001},
	} {
		a := start(t, Config{Readings: Readings{DuplicateTo: test.how}})
		v := a.post(apiImport, body).want(t, 0)
		f := a.sim.graph.friends("a")
		if !slices.Equal(v.order, test.order) || v.results["b"] != test.code || len(f) != 2 || f[slices.IndexFunc(f, func(f Friend) bool { return f.To == "b" })].Remark != test.remark {
			t.Errorf("%d: order %v, code %d, graph %v", test.how, v.order, v.results["b"], f)
		}
	}
	a := start(t, Config{Readings: Readings{DuplicateTo: DuplicateCall}})
	a.post(apiImport, body).want(t, 30001)
	if a.sim.friends("a") != 0 {
		t.Error("a refused call did something")
	}
}

func TestSelfReadings(t *testing.T) {
	a := start(t, Config{Readings: Readings{SelfTo: SelfCall}})
	a.imports("a", "b", "a").want(t, 30001)
	a.sim.Reconfigure(func(c *Config) { c.SelfTo = SelfAccept })
	if v := a.imports("a", "b", "a").want(t, 0); v.results["a"] != 0 || !a.sim.Has("a", "a") {
		t.Errorf("results %v", v.results)
	}
}

// Results matched by position: the order of ResultItem is not promised.
func TestOrderOfResults(t *testing.T) {
	ids := names("b", 50)
	slices.Reverse(ids)
	got := map[Order][]string{}
	for _, o := range []Order{OrderRequest, OrderReversed, OrderSorted, OrderShuffled} {
		for range 2 { // the same for the same seed
			a := start(t, Config{Seed: 7, Readings: Readings{Order: o}})
			v := a.imports("a", ids...).want(t, 0)
			if got[o] != nil && !slices.Equal(got[o], v.order) {
				t.Errorf("order %d differs between two runs of one seed", o)
			}
			got[o] = v.order
			if c := a.post(apiCheck, `{"From_Account":"a","To_Account":["`+strings.Join(ids, `","`)+`"],"CheckType":"CheckResult_Type_Single"}`); o != OrderShuffled && !slices.Equal(c.order, v.order) {
				t.Errorf("friend_check has another order than friend_import")
			}
		}
	}
	reversed := slices.Clone(ids)
	slices.Reverse(reversed)
	if !slices.Equal(got[OrderRequest], ids) || !slices.Equal(got[OrderReversed], reversed) || !slices.Equal(got[OrderSorted], slices.Sorted(slices.Values(ids))) {
		t.Errorf("orders: %v", got)
	}
	if s := got[OrderShuffled]; slices.Equal(s, ids) || !slices.Equal(slices.Sorted(slices.Values(s)), got[OrderSorted]) {
		t.Errorf("shuffled: %v", s)
	}
}

func TestOmittedAddTimeReadings(t *testing.T) {
	for _, absent := range []bool{false, true} {
		a := start(t, Config{Readings: Readings{NoAddTime: absent}})
		a.imports("a", "b")
		if got := a.sim.graph.friends("a")[0].AddTime; (got == 0) != absent {
			t.Errorf("AddTime is %d", got)
		}
	}
}

func TestNoFailAccountReading(t *testing.T) {
	a := start(t, Config{Readings: Readings{NoFailAccount: true}})
	if v := a.imports("a", "a").want(t, 0); strings.Contains(string(v.raw), "Fail_Account") || v.results["a"] != 30001 {
		t.Errorf("answer: %s", v.raw)
	}
}
