package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

func TestASoundCallIsAnsweredAsOnTheVendorsPage(t *testing.T) {
	a := start(t, Config{})
	v := a.imports("id", "id1").want(t, 0)
	const want = `{"ResultItem":[{"To_Account":"id1","ResultCode":0,"ResultInfo":""}],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}`
	if string(v.raw) != want {
		t.Errorf("got  %s\nwant %s", v.raw, want)
	}
	v = a.post(apiImport, strings.Replace(importBody("id", "id1", "id2"), "AddSource_Type_Import", "Wrong", 1)).want(t, 0)
	if !strings.Contains(string(v.raw), `"Fail_Account":["id1"],"ActionStatus":"OK","ErrorCode":0`) {
		t.Errorf("no Fail_Account in %s", v.raw)
	}
}

// Every query parameter is checked. The service puts up with two that are missing: they are
// counted.
func TestQueryParameters(t *testing.T) {
	a := start(t, Config{})
	short, err := tencentyun.GenUserSig(testApp, testKey, "administrator", -10)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, _ := tencentyun.GenUserSig(testApp, strings.Repeat("f", 64), "administrator", 100)
	otherApp, _ := tencentyun.GenUserSig(testApp+1, testKey, "administrator", 100)
	withBuffer, _ := tencentyun.GenUserSigWithBuf(testApp, testKey, "administrator", 100, []byte("x"))
	tests := []struct {
		name   string
		change func(q url.Values)
		code   int
	}{
		{"right", func(url.Values) {}, 0},
		{"random 0", func(q url.Values) { q.Set("random", "0") }, 0},
		{"no random", func(q url.Values) { q.Del("random") }, 0},
		{"empty random", func(q url.Values) { q.Set("random", "") }, 60025},
		{"random over 32 bits", func(q url.Values) { q.Set("random", "4294967296") }, 60025},
		{"random negative", func(q url.Values) { q.Set("random", "-1") }, 60025},
		{"no contenttype", func(q url.Values) { q.Del("contenttype") }, 0},
		{"empty contenttype", func(q url.Values) { q.Set("contenttype", "") }, 60025},
		{"contenttype xml", func(q url.Values) { q.Set("contenttype", "xml") }, 60025},
		{"no identifier", func(q url.Values) { q.Del("identifier") }, 60025},
		{"usersig twice", func(q url.Values) { q.Add("usersig", a.sig) }, 60025},
		{"no sdkappid", func(q url.Values) { q.Del("sdkappid") }, 60012},
		{"SdkAppId", func(q url.Values) { q["SdkAppId"] = q["sdkappid"]; q.Del("sdkappid") }, 60012},
		{"sdkappid no number", func(q url.Values) { q.Set("sdkappid", "app") }, 60006},
		{"another app", func(q url.Values) { q.Set("sdkappid", "1400000001") }, 70020},
		{"no usersig", func(q url.Values) { q.Del("usersig") }, 70002},
		{"usersig no base64", func(q url.Values) { q.Set("usersig", "?") }, 70003},
		{"usersig cut", func(q url.Values) { q.Set("usersig", a.sig[:40]) }, 70003},
		{"usersig no zlib", func(q url.Values) { q.Set("usersig", "aGVsbG8_") }, 70003},
		{"usersig with a buffer", func(q url.Values) { q.Set("usersig", withBuffer) }, 70003},
		{"usersig endless", func(q url.Values) { q.Set("usersig", strings.Repeat("a", 5000)) }, 70003},
		{"usersig expired", func(q url.Values) { q.Set("usersig", short) }, 70001},
		{"usersig of another key", func(q url.Values) { q.Set("usersig", otherKey) }, 70009},
		{"usersig of another app", func(q url.Values) { q.Set("usersig", otherApp) }, 70014},
		{"usersig of another user", func(q url.Values) { q.Set("usersig", sign(t, "somebody")) }, 70013},
		{"no admin", func(q url.Values) { q.Set("usersig", sign(t, "somebody")); q.Set("identifier", "somebody") }, 60010},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a.query = a.parameters()
			test.change(a.query)
			for range 2 { // the second time the signature is known
				a.imports("id", "id1").want(t, test.code)
			}
		})
	}
	if n := a.sim.friends("id"); n != 1 {
		t.Errorf("%d friends, want 1: a refused call did something", n)
	}
}

func TestNobodyButTheAdminMayCall(t *testing.T) {
	a := start(t, Config{App: App{Missing: NewSet("stranger")}})
	for who, code := range map[string]int{"somebody": 60010, "stranger": 70107} {
		a.query = a.parameters()
		a.query.Set("identifier", who)
		a.query.Set("usersig", sign(t, who))
		a.imports("id", "id1").want(t, code)
	}
}

// TestAdminRemovedMeanwhile: for every API, whatever the account.
func TestAdminRemovedMeanwhile(t *testing.T) {
	a := start(t, Config{App: App{AdminRemoved: []Span{{2, 4}, {5, 0}}}})
	for _, code := range []int{0, 70107, 70107, 0, 70107, 70107} {
		a.imports("id", "id1").want(t, code)
	}
	a.post(apiGet, `{"From_Account":"administrator","StartIndex":0}`).want(t, 70107)
	a.sim.Reconfigure(func(c *Config) { c.AdminRemoved = nil })
	a.imports("id", "id1").want(t, 0)
}

func TestPOSTOnlyAndKnownPathsOnly(t *testing.T) {
	a := start(t, Config{})
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		r, _ := http.NewRequest(method, a.address(apiImport), strings.NewReader(importBody("a", "b")))
		a.do(r).want(t, 60002)
	}
	a.post("friend_imports", importBody("a", "b")).want(t, 60009)
	a.post("Friend_Import", importBody("a", "b")).want(t, 60009)
	if s := a.sim.Stats(); s.Calls != 5 || s.ByAPI[""] != 2 || s.ByAPI[apiImport] != 3 || s.ByCode[60002] != 3 || s.GraphEdges != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// What Go's encoding/json takes without a word must not pass here, or the client's mistakes would.
func TestStrictJSON(t *testing.T) {
	a := start(t, Config{})
	const it = `{"To_Account":"b","AddSource":"AddSource_Type_Import"`
	tests := []struct {
		body string
		code int
	}{
		{``, 60003}, {`  `, 60003}, {`null`, 60003}, {`[]`, 60003}, {`"x"`, 60003}, {`{`, 60003}, {`{}`, 30001},
		{"\xef\xbb\xbf" + importBody("a", "b"), 60003},
		{importBody("a", "b") + `x`, 60003}, {importBody("a", "b") + `{}`, 60003},
		{importBody("a\xff", "b"), 60003},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,}]}`, 60003},
		{`{"From_Account":"a","AddFriendItem":[` + it + `}],}`, 60003},
		{`{"From_Account":'a'}`, 60003},
		{`{"From_Account":"a` + "\n" + `","AddFriendItem":[` + it + `}]}`, 60003},
		{`{"From_Account":"\ud800","AddFriendItem":[` + it + `}]}`, 60003},
		{`{"From_Account":"a","From_Account":"c","AddFriendItem":[` + it + `}]}`, 60003},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"RemarkTime":01}]}`, 60003},
		{`{"from_account":"a","AddFriendItem":[` + it + `}]}`, 30001},
		{`{"From_Account":"a","Extra":1,"AddFriendItem":[` + it + `}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"remark":"r"}]}`, 30001},
		{`{"From_Account":12,"AddFriendItem":[` + it + `}]}`, 60015},
		{`{"From_Account":"a","AddFriendItem":[{"To_Account":12,"AddSource":"AddSource_Type_Import"}]}`, 60015},
		{`{"From_Account":"a","AddFriendItem":[{"To_Account":null,"AddSource":"AddSource_Type_Import"}]}`, 60015},
		{`{"From_Account":null,"AddFriendItem":[` + it + `}]}`, 60015},
		{`{"AddFriendItem":[` + it + `}]}`, 30001}, {`{"From_Account":"","AddFriendItem":[` + it + `}]}`, 30001},
		{`{"From_Account":"a"}`, 30001}, {`{"From_Account":"a","AddFriendItem":[]}`, 30001}, {`{"From_Account":"a","AddFriendItem":{}}`, 30001},
		{`{"From_Account":"a","AddFriendItem":["b"]}`, 30001},
		{importBody("a", names("b", 1001)...), 30001}, {importBody(strings.Repeat("a", 33), "b"), 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"Remark":1}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"Remark":null}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"RemarkTime":"1"}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"RemarkTime":null}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"AddTime":1.5}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"AddTime":-1}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"GroupName":"g"}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"GroupName":[1]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"GroupName":[null]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"CustomItem":{"Tag":"x","Value":1}}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"CustomItem":[{"Tag":"Tag_SNS_Custom_A"}]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":true}]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":1.5}]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":1,"Extra":1}]}]}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"Extra":1}]`, 60003}, // worse than an unknown name
		{` {"From_Account" : "a" , "AddFriendItem" : [ ` + it + ` } ] } `, 0},
		{`{"From_Account":"\u0061\ud83d\ude00","AddFriendItem":[` + it + `,"Remark":"\"\\\/\b\f\n\r\t"}]}`, 0},
		{importBody("1000", names("b", 1000)...), 0},
		{`{"From_Account":"null","AddFriendItem":[` + it + `,"GroupName":null,"CustomItem":null}]}`, 0},
		{`{"From_Account":"a","AddFriendItem":null}`, 30001},
		{`{"From_Account":"a","AddFriendItem":[` + it + `,"GroupName":nul}]}`, 60003},
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			a.t = t
			v := a.post(apiImport, test.body)
			v.want(t, test.code)
		})
	}
	if !a.sim.Has("a😀", "b") || a.sim.friends("a") != 1 {
		t.Error("the sound bodies are not in the graph")
	}
}

func TestBodyLimit(t *testing.T) {
	a := start(t, Config{Limits: Limits{MaxBody: 1000}})
	if v := a.imports("a", names("b", 100)...); v.http != http.StatusRequestEntityTooLarge {
		t.Errorf("HTTP %d, want 413", v.http)
	}
	a.imports("a", "b").want(t, 0)
	if s := a.sim.Stats(); s.ByStatus[413] != 1 || s.Refused != 1 {
		t.Errorf("stats: %+v", s)
	}
}
