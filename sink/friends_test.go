package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"friendmigrate/migrate"
)

// vendorPage is the sample of the vendor's page, made to be one of three.
const vendorPage = `{"UserDataItem": [
{"To_Account": "id1", "ValueItem": [
{"Tag": "Tag_SNS_IM_AddSource", "Value": "AddSource_Type_Android"}, {"Tag": "Tag_SNS_IM_Remark", "Value": "Remark1"}, {"Tag": "Tag_SNS_IM_Group", "Value":["Group1","Group2"]},
{"Tag": "Tag_SNS_IM_AddTime", "Value": 1563867420}, {"Tag": "Tag_SNS_Custom_Test", "Value": "CustomData1"}, {"Tag": "Tag_SNS_Custom_Num", "Value": 18446744073709551615}, {"Tag": "Tag_Other", "Value": {"x":1}} ] },
{"To_Account": "id2", "ValueItem": [ {"Tag": "Tag_SNS_IM_AddSource", "Value": "AddSource_Type_IOS"}, {"Tag": "Tag_SNS_IM_AddTime", "Value": 1563867425} ] } ],
"StandardSequence": 88, "CustomSequence": 46, "FriendNum": 5, "CompleteFlag": %d, "NextStartIndex": %d, "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": ""}`

// TestAllPagesAreRead, with sequences of 0 on each, and after an error the same page again.
func TestAllPagesAreRead(t *testing.T) {
	s := &service{answer: func(n int, r request, w http.ResponseWriter) {
		switch n {
		case 1:
			fmt.Fprintf(w, vendorPage, 0, 2)
		case 2:
			fail(w, 30007)
		case 3:
			fmt.Fprintf(w, vendorPage, 0, 4)
		default:
			fmt.Fprintf(w, vendorPage, 1, 0)
		}
	}}
	friends := testClient(t, s.serve(t), nil).Friends("A")
	var all []Friend
	for i, start := range []int64{0, -1, 2, 4} {
		from := friends.start
		page, err := friends.Next(t.Context())
		if start < 0 {
			if e := callError(t, err); e.Code != 30007 || e.Verdict != migrate.VerdictRetry {
				t.Errorf("%+v", e)
			}
			continue
		}
		if err != nil || from != start || page.FriendNum != 5 {
			t.Errorf("page %d: %+v %v", i, page, err)
		}
		all = append(all, page.Friends...)
	}
	if _, err := friends.Next(t.Context()); err != io.EOF {
		t.Errorf("after the last page: %v", err)
	}
	if len(all) != 6 {
		t.Fatalf("%d friends", len(all))
	}
	for i, start := range []int{0, 2, 2, 4} {
		if want := fmt.Sprintf(`{"From_Account":"A","StartIndex":%d,"StandardSequence":0,"CustomSequence":0}`, start); s.received()[i].body != want {
			t.Errorf("request %d: %s", i, s.received()[i].body)
		}
	}
	if got := string(all[0].Values[5].JSON); got != "18446744073709551615" {
		t.Errorf("an integer came as %s", got)
	}
	edge, _, err := all[0].Edge("A")
	want := migrate.Edge{From: "A", To: "id1", AddSource: "AddSource_Type_Android", Remark: "Remark1", Groups: []string{"Group1", "Group2"}, AddTime: 1563867420,
		Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_Test", Value: "CustomData1"}, {Tag: "Tag_SNS_Custom_Num", Value: "18446744073709551615", Integer: true}}}
	if err != nil || !reflect.DeepEqual(edge, want) {
		t.Errorf("%+v, want %+v; %v", edge, want, err)
	}
}

// TestPagesThatLeadNowhere would be read for ever, or pass for an empty list.
func TestPagesThatLeadNowhere(t *testing.T) {
	page := func(rest string) string {
		return `{"UserDataItem":[{"To_Account":"a","ValueItem":[]}],` + rest + okTail
	}
	bad := map[string]string{
		"stands still":      page(`"FriendNum":9,"CompleteFlag":0,"NextStartIndex":0,`),
		"goes back":         page(`"FriendNum":9,"CompleteFlag":0,"NextStartIndex":-5,`),
		"no next":           page(`"FriendNum":9,"CompleteFlag":0,`),
		"no flag":           page(`"FriendNum":9,"NextStartIndex":1,`),
		"no number":         page(`"CompleteFlag":1,`),
		"null flag":         page(`"FriendNum":9,"CompleteFlag":null,"NextStartIndex":1,`),
		"flag twice":        page(`"FriendNum":9,"CompleteFlag":0,"CompleteFlag":1,"NextStartIndex":1,`),
		"no list":           `{"FriendNum":9,"CompleteFlag":1,"NextStartIndex":0,` + okTail,
		"null list":         `{"UserDataItem":null,"FriendNum":9,"CompleteFlag":1,"NextStartIndex":0,` + okTail,
		"no name":           `{"UserDataItem":[{"ValueItem":[]}],"FriendNum":1,"CompleteFlag":1,` + okTail,
		"name is a number":  `{"UserDataItem":[{"To_Account":7}],"FriendNum":1,"CompleteFlag":1,` + okTail,
		"not UTF-8":         `{"UserDataItem":[{"To_Account":"` + "\xff" + `"}],"FriendNum":1,"CompleteFlag":1,` + okTail,
		"null item":         `{"UserDataItem":[null],"FriendNum":1,"CompleteFlag":1,` + okTail,
		"list is an object": `{"UserDataItem":{},"FriendNum":1,"CompleteFlag":1,` + okTail,
		"half":              `{"UserDataItem":[{"To_Account":"a"}],"FriendNum":1,"Comple`,
		"trailing":          page(`"FriendNum":1,"CompleteFlag":1,`) + "}",
		"empty":             "", "null": "null", "array": "[]",
	}
	for name, body := range bad {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fmt.Fprint(w, body) }}
		friends := testClient(t, s.serve(t), nil).Friends("A")
		page, err := friends.Next(t.Context())
		if err == nil {
			t.Errorf("%s: %+v", name, page)
			continue
		}
		if e := callError(t, err); e.Verdict != migrate.VerdictRetry || e.Answered {
			t.Errorf("%s: %+v", name, e)
		}
		if _, stuck := errors.AsType[*StuckError](err); stuck != (name == "stands still" || name == "goes back") {
			t.Errorf("%s: %#v", name, err)
		}
	}
	for name, body := range map[string]string{
		"no friends": `{"UserDataItem":[],"FriendNum":0,"CompleteFlag":1,"NextStartIndex":0,` + okTail, "no list": `{"FriendNum":0,"CompleteFlag":1,` + okTail,
	} {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fmt.Fprint(w, body) }}
		page, err := testClient(t, s.serve(t), nil).Friends("A").Next(t.Context())
		if err != nil || len(page.Friends) != 0 {
			t.Errorf("%s: %+v %v", name, page, err)
		}
	}
}

// TestLargePages: friend_get may be larger than other answers, but not without end.
func TestLargePages(t *testing.T) {
	item := `{"To_Account":"a","ValueItem":[{"Tag":"Tag_SNS_Custom_X","Value":"` + strings.Repeat("x", 1<<20) + `"}]},`
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"UserDataItem":[`)
		for range 5 {
			if _, err := io.WriteString(w, item); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `{"To_Account":"z"}],"FriendNum":6,"CompleteFlag":1,`+okTail)
	}}
	c := testClient(t, s.serve(t), nil)
	page, err := c.Friends("A").Next(t.Context())
	if err != nil || len(page.Friends) != 6 {
		t.Errorf("5 MiB: %d friends, %v", len(page.Friends), err)
	}
	page.Release()
	err = c.call(t.Context(), friendGet, "A", []byte("{}"), answerLimit, (&pageAnswer{pages: c.pages}).read)
	if e := callError(t, err); e.Verdict != migrate.VerdictRetry || !strings.Contains(e.Info, "too large") {
		t.Errorf("5 MiB where 4 are allowed: %+v", e)
	}
}

// TestEmptyPageIsFollowed: the service left its friends out, and says where the next ones are.
func TestEmptyPageIsFollowed(t *testing.T) {
	s := &service{answer: func(n int, _ request, w http.ResponseWriter) {
		if n == 1 {
			fmt.Fprint(w, `{"UserDataItem":[],"FriendNum":1,"CompleteFlag":0,"NextStartIndex":100,`+okTail)
			return
		}
		fmt.Fprint(w, `{"UserDataItem":[{"To_Account":"a"}],"FriendNum":1,"CompleteFlag":1,`+okTail)
	}}
	friends := testClient(t, s.serve(t), nil).Friends("A")
	for want := range 2 {
		if page, err := friends.Next(t.Context()); err != nil || len(page.Friends) != want {
			t.Errorf("%+v %v", page, err)
		}
	}
	if body := s.received()[1].body; !friends.Last() || !strings.Contains(body, `"StartIndex":100,`) {
		t.Error(body)
	}
}

// TestTagsWithoutAPlace are named, each as often as it has a value. A custom tag that friend_import
// would refuse is one of them.
func TestTagsWithoutAPlace(t *testing.T) {
	f := Friend{To: "a"}
	for _, tag := range []string{"Tag_SNS_IM_Remark", "Tag_SNS_IM_Star", "Tag_SNS_Custom_Level", "Tag_SNS_Custom_", "Tag_SNS_Custom", "Tag_SNS_Custom_Level2", "Tag_SNS_Custom_TooLongAWord", "Tag_SNS_IM_Star"} {
		f.Values = append(f.Values, Value{tag, json.RawMessage(`"x"`)})
	}
	e, other, err := f.Edge("A")
	want := []string{"Tag_SNS_IM_Star", "Tag_SNS_Custom_", "Tag_SNS_Custom", "Tag_SNS_Custom_Level2", "Tag_SNS_Custom_TooLongAWord", "Tag_SNS_IM_Star"}
	if err != nil || e.Remark != "x" || len(e.Custom) != 1 || !slices.Equal(other, want) {
		t.Errorf("%+v %q %v", e, other, err)
	}
}

func TestEdgesOfOddFriends(t *testing.T) {
	for _, value := range []Value{
		{"Tag_SNS_IM_Remark", json.RawMessage(`7`)}, {"Tag_SNS_IM_Group", json.RawMessage(`"x"`)}, {"Tag_SNS_IM_AddTime", json.RawMessage(`"x"`)},
		{"Tag_SNS_Custom_X", json.RawMessage(`1.5`)}, {"Tag_SNS_Custom_X", json.RawMessage(`["x"]`)}, {"Tag_SNS_Custom_X", json.RawMessage(`null`)},
	} {
		f := Friend{To: "a", Values: []Value{value}}
		if e, _, err := f.Edge("A"); err == nil {
			t.Errorf("%s %s: %+v", value.Tag, value.JSON, e)
		}
	}
}

// TestLargePagesWaitForEachOther: more of them than may be held. Small ones pass by. Without a
// Content-Length a large page counts as the largest there may be.
func TestLargePagesWaitForEachOther(t *testing.T) {
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		if r.from == "large" {
			fmt.Fprint(w, strings.Repeat(" ", 2*smallPage))
			w.(http.Flusher).Flush()
		}
		fmt.Fprintf(w, vendorPage, 1, 0)
	}}
	c := testClient(t, s.serve(t), func(c *Config) { c.Timeout = time.Minute })
	next := func(from string) Page {
		page, err := c.Friends(from).Next(t.Context())
		if err != nil || len(page.Friends) != 2 {
			t.Errorf("%s: %+v %v", from, page, err)
		}
		return page
	}
	var held atomic.Int32
	first := next("large")
	held.Add(1)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			page := next("large")
			if held.Add(1) > 1 {
				t.Error("two large pages are held at once")
			}
			held.Add(-1)
			page.Release()
		})
	}
	small := next("small")
	small.Release()
	held.Add(-1)
	first.Release()
	all.Wait()
}
