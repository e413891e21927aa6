package simulator

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// accountsBody is a request with a list of accounts.
func accountsBody(list string, ids ...string) string {
	return fmt.Sprintf(`{%q:[{"UserID":"%s"}]}`, list, strings.Join(ids, `"},{"UserID":"`))
}

func deleteBody(from, kind string, to ...string) string {
	return fmt.Sprintf(`{"From_Account":%q,%s"To_Account":["%s"]}`, from, kind, strings.Join(to, `","`))
}

func updateBody(from string, to ...string) string {
	const item = `","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"r"}]}`
	return fmt.Sprintf(`{"From_Account":%q,"UpdateItem":[{"To_Account":"%s]}`, from, strings.Join(to, item+`,{"To_Account":"`)+item)
}

// What each sister call refuses as a whole, and what it takes.
func TestLimitsOfTheSisterCalls(t *testing.T) {
	a := start(t, Config{App: App{Missing: NewSet("gone")}})
	a.sim.Put("a", Friend{To: "b"})
	for name, test := range map[string]struct {
		api, body string
		code      int
	}{
		"100 accounts":             {apiAccountCheck, accountsBody("CheckItem", names("u", 100)...), 0},
		"101 accounts":             {apiAccountCheck, accountsBody("CheckItem", names("u", 101)...), 70206},
		"no account":               {apiAccountCheck, `{"CheckItem":[]}`, 70206},
		"no list":                  {apiAccountCheck, `{}`, 70206},
		"no object":                {apiAccountCheck, `{"CheckItem":["u"]}`, 70402},
		"null for an id":           {apiAccountCheck, `{"CheckItem":[{"UserID":null}]}`, 60015},
		"an account without id":    {apiAccountCheck, `{"CheckItem":[{}]}`, 70402},
		"an empty id":              {apiAccountCheck, accountsBody("CheckItem", ""), 70402},
		"an id of 33 bytes":        {apiAccountCheck, accountsBody("CheckItem", strings.Repeat("u", 33)), 70402},
		"an id that is a number":   {apiAccountCheck, `{"CheckItem":[{"UserID":1}]}`, 60015},
		"100 imports":              {apiAccountsImport, accountsBody("AccountList", names("u", 100)...), 0},
		"101 imports":              {apiAccountsImport, accountsBody("AccountList", names("u", 101)...), 70206},
		"imports in the old form":  {apiAccountsImport, `{"Accounts":["u","v"]}`, 0},
		"the old form, no strings": {apiAccountsImport, `{"Accounts":[1]}`, 60015},
		"the old form, no list":    {apiAccountsImport, `{"Accounts":"u"}`, 70402},
		"1000 updates":             {apiUpdate, updateBody("a", names("u", 1000)...), 0},
		"1001 updates":             {apiUpdate, updateBody("a", names("u", 1001)...), 30001},
		"updates of nobody":        {apiUpdate, updateBody("gone", "b"), 30003},
		"1000 deletes":             {apiDelete, deleteBody("a", "", names("u", 1000)...), 0},
		"1001 deletes":             {apiDelete, deleteBody("a", "", names("u", 1001)...), 30001},
		"deletes of nobody":        {apiDelete, deleteBody("gone", "", "b"), 30003},
		"another DeleteType":       {apiDelete, deleteBody("a", `"DeleteType":"Single",`, "b"), 30001},
	} {
		if v := a.post(test.api, test.body); v.code != test.code {
			t.Errorf("%s: %d, want %d: %.200s", name, v.code, test.code, v.raw)
		}
	}
}

// Without DeleteType a delete is one-way.
func TestFriendDeleteIsOneWayByDefault(t *testing.T) {
	a := start(t, Config{})
	a.sim.Put("a", Friend{To: "b"})
	a.sim.Put("b", Friend{To: "a"})
	v := a.post(apiDelete, deleteBody("a", "", "b", "x")).want(t, 0)
	if v.results["b"] != 0 || v.results["x"] != 31704 || a.sim.Has("a", "b") || !a.sim.Has("b", "a") {
		t.Errorf("results %v", v.results)
	}
}

// An account that was imported exists from then on; imported again, it creates nothing.
func TestImportedAccountsExist(t *testing.T) {
	a := start(t, Config{App: App{Accounts: NewSet("a").Has, Refused: NewSet("bad")}})
	a.imports("a", "b").want(t, 0)
	for range 2 {
		v := a.post(apiAccountsImport, accountsBody("AccountList", "b", "bad")).want(t, 0)
		if !strings.Contains(string(v.raw), `"FailAccounts":["bad"]`) {
			t.Errorf("answer: %s", v.raw)
		}
	}
	v := a.post(apiAccountCheck, accountsBody("CheckItem", "b", "bad", "c")).want(t, 0)
	if got := strings.Count(string(v.raw), `"NotImported"`); got != 2 {
		t.Errorf("answer: %s", v.raw)
	}
	if v := a.imports("a", "b").want(t, 0); v.results["b"] != 0 {
		t.Errorf("results %v", v.results)
	}
	if s := a.sim.Stats(); s.AccountsImported != 1 || s.AccountsChecked != 3 {
		t.Errorf("%d imported, %d checked", s.AccountsImported, s.AccountsChecked)
	}
}

// Account calls have half the limit of the friend calls, and a limit of deletes throttles with
// 31707.
func TestLimitsOfOneKindOfCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Limits: Limits{Limit: 200, DeleteLimit: 5}})
		landed := func(api, body string, over int) (n int) {
			for range 120 {
				v := a.post(api, body)
				if v.code == 0 {
					n++
				} else {
					v.want(t, over)
				}
			}
			return n
		}
		check := accountsBody("CheckItem", "u")
		if n := landed(apiAccountCheck, check, 60007); n != 100 {
			t.Errorf("%d account_checks landed", n)
		}
		if n := landed(apiAccountsImport, accountsBody("AccountList", "u"), 60007); n != 0 {
			t.Errorf("%d account imports landed beside them", n)
		}
		time.Sleep(time.Second)
		if n := landed(apiDelete, deleteBody("a", "", "b"), 31707); n != 5 {
			t.Errorf("%d deletes landed", n)
		}
		time.Sleep(time.Second)
		a.sim.Reconfigure(func(c *Config) { c.Limit, c.DeleteLimit = 0, 0 })
		if n := landed(apiAccountCheck, check, 0) + landed(apiDelete, deleteBody("a", "", "b"), 0); n != 240 {
			t.Errorf("%d calls landed without a limit", n)
		}
		if s := a.sim.Stats(); s.RefusedRate != 20+120+115 {
			t.Errorf("%d calls refused for the rate", s.RefusedRate)
		}
	})
}

// The vendor's service accepts calls without random and contenttype, on every API; they are
// counted.
func TestCallsWithoutSpareParametersAreCounted(t *testing.T) {
	a := start(t, Config{})
	a.query = a.parameters()
	a.query.Del("random")
	a.query.Del("contenttype")
	bodies := map[string]string{
		apiImport: importBody("a", "b"), apiUpdate: updateBody("a", "b"), apiDelete: deleteBody("a", "", "b"),
		apiCheck:        `{"From_Account":"a","To_Account":["b"],"CheckType":"CheckResult_Type_Single"}`,
		apiGet:          `{"From_Account":"a","StartIndex":0}`,
		apiAccountCheck: accountsBody("CheckItem", "a"), apiAccountsImport: `{"Accounts":["a"]}`,
	}
	for api, body := range bodies {
		a.post(api, body).want(t, 0)
	}
	if s, n := a.sim.Stats(), int64(len(commands)); s.NoRandom != n || s.NoContentType != n || len(bodies) != len(commands) {
		t.Errorf("%d without random, %d without contenttype, want %d", s.NoRandom, s.NoContentType, n)
	}
}
