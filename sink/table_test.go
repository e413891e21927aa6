package sink

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// contract is the table "What each answer leads to", for whole calls.
func contract() map[migrate.Verdict]string {
	return map[migrate.Verdict]string{
		migrate.VerdictRetry:         "30006 30007 30008 60008 60013 60014 70169 70202 70500",
		migrate.VerdictThrottle:      "60007 60011 60018 60019 72010 31707", // 31707: of friend_delete, too often
		migrate.VerdictHalve:         "30001",
		migrate.VerdictRefuseAccount: "30003",
		migrate.VerdictRefuseChunk:   "30010 30011",
		migrate.VerdictSuspect:       "30002",
		migrate.VerdictFatal: "70001 70052 60004 60005 30004 60002 60003 60006 60009 60010 60012 60015 60016 60017 60021 60025 60026 60027 " +
			"70002 70003 70005 70009 70013 70014 70016 70020 70050 70051 70114 70346 70402 70403 70404 70107 72001 72011 72012 " +
			"60020 60028 70398 72000 72002 80005",
	}
}

func numbers(t *testing.T, text string) (list []int) {
	t.Helper()
	for _, field := range strings.Fields(text) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

func TestTableFollowsTheContract(t *testing.T) {
	said := map[int]bool{}
	for verdict, codes := range contract() {
		for _, code := range numbers(t, codes) {
			said[code] = true
			if c, ok := LookupCode(code); !ok || c.Call != verdict {
				t.Errorf("call-level %d: verdict %d, known %v; want %d", code, c.Call, ok, verdict)
			}
		}
	}
	resign := numbers(t, "70001 70052 60004 60005")
	for _, c := range Codes() {
		if c.SignAgain != slices.Contains(resign, c.Code) {
			t.Errorf("%d: SignAgain is %v", c.Code, c.SignAgain)
		}
		if !said[c.Code] && c.Call != migrate.VerdictUnknown && c.Call != migrate.VerdictRetry {
			t.Errorf("%d: verdict %d, which the contract does not give it", c.Code, c.Call)
		}
		item := migrate.Failed
		switch c.Code {
		case 30006, 30007, 30008, 31707:
			item = migrate.Again
		case 30015:
			item = migrate.Already
		}
		if c.Item != item {
			t.Errorf("item-level %d: kind %d, want %d", c.Code, c.Item, item)
		}
	}
}

// TestTableIsComplete walks the codes that the vendor's pages and their readers know.
func TestTableIsComplete(t *testing.T) {
	const known = "30001 30002 30003 30004 30005 30006 30007 30008 30009 30010 30011 30012 30013 30014 30015 30515 30516 30525 30539 30540 30614 31704 31707 31804 32216 40006 38000 38500 39000 " +
		"60002 60003 60004 60005 60006 60007 60008 60009 60010 60011 60012 60013 60014 60015 60016 60017 60018 60019 60020 60021 60025 60026 60027 60028 80005 " +
		"70001 70002 70003 70005 70009 70013 70014 70016 70020 70050 70051 70114 70052 70107 70169 70202 70206 70346 70398 70399 70402 70403 70404 70500 71000 72000 72002 72001 72011 72012 72010"
	for _, code := range numbers(t, known) {
		c, ok := LookupCode(code)
		if !ok || c.Code != code || c.Source == "" || c.Advice == "" || strings.Contains(c.Advice, "\n") || c.Level == 0 {
			t.Errorf("%d: %+v", code, c)
		}
	}
	if !slices.IsSortedFunc(Codes(), func(a, b Code) int { return a.Code - b.Code }) {
		t.Error("the table is not sorted")
	}
	for _, code := range numbers(t, "-1 1 30500 30520 60022 60023 60024 70401 99999") {
		if c, ok := LookupCode(code); ok || c.Call != migrate.VerdictUnknown || c.Item != migrate.Failed {
			t.Errorf("%d is taken as known: %+v", code, c)
		}
	}
}

// An edge fails with 70107 only after the admin was shown to exist.
func TestTheAdviceForAnEdgeIsNotAboutTheAdmin(t *testing.T) {
	for _, c := range Codes() {
		want := c.Advice
		if c.Code == AccountUnknownToLogin {
			want = "the account does not exist in this app: run friendmigrate accounts --import"
		}
		if got := c.EdgeAdvice(); got != want {
			t.Errorf("%d: %q", c.Code, got)
		}
	}
}

func TestItemOutcomes(t *testing.T) {
	for _, test := range []struct {
		code      int
		info      string
		kind      migrate.Kind
		uncertain bool
	}{
		{0, "", migrate.Imported, false},
		{30015, "", migrate.Already, false},
		{30001, "Err_SNS_FriendAdd_Friend_Exist", migrate.Already, false},
		{30001, "Err_SNS_FriendImport_Source_Illegal", migrate.Failed, false},
		{30003, "Friend_Exist", migrate.Failed, false},
		{30006, "x", migrate.Again, true},
		{30007, "x", migrate.Again, true},
		{30008, "x", migrate.Again, false},
		{30010, "x", migrate.Failed, false},
		{60007, "x", migrate.Failed, false},
		{70001, "x", migrate.Failed, false},
		{12345, "x", migrate.Failed, false},
		{-1, "x", migrate.Failed, false},
	} {
		o := outcomeOf(test.code, test.info)
		if o.Kind != test.kind || o.Uncertain != test.uncertain || o.Code != test.code {
			t.Errorf("%d %q: %+v", test.code, test.info, o)
		}
	}
}
