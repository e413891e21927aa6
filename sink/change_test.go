package sink

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// namesOf makes n edges.
func namesOf(n int) []migrate.Edge {
	edges := make([]migrate.Edge, n)
	for i := range edges {
		edges[i] = migrate.Edge{To: "u" + strconv.Itoa(i), Remark: "r"}
	}
	return edges
}

// TestDeleteIsDoneWhereThereWasNothing to delete.
func TestDeleteIsDoneWhereThereWasNothing(t *testing.T) {
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
		fmt.Fprint(w, `{"ResultItem":[{"To_Account":"b","ResultCode":31704,"ResultInfo":"x"},{"To_Account":"a","ResultCode":0,"ResultInfo":""},{"To_Account":"c","ResultCode":30003,"ResultInfo":"x"},{"To_Account":"e","ResultCode":31707,"ResultInfo":"x"}],`+okTail)
	}}
	edges := []migrate.Edge{{To: "a"}, {To: "b"}, {To: "c"}, {To: "d"}, {To: "e"}}
	got, err := testClient(t, s.serve(t), nil).Delete(t.Context(), "A", edges)
	if err != nil || got[0].Kind != migrate.Imported || got[1].Kind != migrate.Imported || got[2].Kind != migrate.Failed || got[3].Kind != migrate.Again || got[4].Kind != migrate.Again {
		t.Errorf("%+v %v", got, err)
	}
	if r := s.received()[0]; r.path != "/v4/sns/friend_delete" || r.body != `{"From_Account":"A","To_Account":["a","b","c","d","e"],"DeleteType":"Delete_Type_Single"}` {
		t.Errorf("%s %s", r.path, r.body)
	}
}

// TestUpdateSetsWhatTheRowHas, and an edge without anything to set is not sent.
func TestUpdateSetsWhatTheRowHas(t *testing.T) {
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		fmt.Fprint(w, `{"ResultItem":[{"To_Account":"c","ResultCode":0,"ResultInfo":""},{"To_Account":"a","ResultCode":30001,"ResultInfo":"Err_SNS_FriendUpdate_Friend_Not_Exist"}],`+okTail)
	}}
	custom := []migrate.CustomItem{{Tag: "Tag_SNS_Custom_A", Value: "x"}, {Tag: "Tag_SNS_Custom_B", Value: "0", Integer: true}}
	edges := []migrate.Edge{
		{To: "a", Remark: "r", RemarkTime: 1, AddSource: "AddSource_Type_X", AddWording: "w", AddTime: 2},
		{To: "b", AddSource: "AddSource_Type_X"},
		{To: "c", Groups: []string{"g", "h"}, Custom: custom},
	}
	c := testClient(t, s.serve(t), nil)
	got, err := c.Update(t.Context(), "A", edges)
	if err != nil || got[0].Kind != migrate.Failed || got[1] != (migrate.Outcome{Kind: migrate.Already, Unsent: true}) || got[2].Kind != migrate.Imported {
		t.Errorf("%+v %v", got, err)
	}
	const want = `{"From_Account":"A","UpdateItem":[{"To_Account":"a","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"r"}]},` +
		`{"To_Account":"c","SnsItem":[{"Tag":"Tag_SNS_IM_Group","Value":["g","h"]},{"Tag":"Tag_SNS_Custom_A","Value":"x"},{"Tag":"Tag_SNS_Custom_B","Value":0}]}]}`
	r := s.received()[0]
	if r.path != "/v4/sns/friend_update" || r.body != want || !json.Valid([]byte(r.body)) {
		t.Errorf("%s %s", r.path, r.body)
	}
	size := len(`{"From_Account":"A","UpdateItem":[]}`) - 1 + UpdateBytes(&edges[0]) + UpdateBytes(&edges[2])
	if len(r.body) != size || len(r.body) > EmptyCallBytes+size {
		t.Errorf("a body of %d bytes, foreseen were %d", len(r.body), size)
	}
	if got, err := c.Update(t.Context(), "A", edges[1:2]); err != nil || got[0].Kind != migrate.Already || len(s.received()) != 1 {
		t.Errorf("%+v %v, %d calls", got, err, len(s.received()))
	}
}

// TestAChangeHasAtMostAThousandFriends, and one of none is no call.
func TestAChangeHasAtMostAThousandFriends(t *testing.T) {
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		var items []string
		for i := range strings.Count(r.body, `"u`) {
			items = append(items, fmt.Sprintf(`{"To_Account":"u%d","ResultCode":0,"ResultInfo":""}`, i))
		}
		fmt.Fprint(w, `{"ResultItem":[`+strings.Join(items, ",")+`],`+okTail)
	}}
	c := testClient(t, s.serve(t), nil)
	for _, change := range []migrate.Caller{c.Update, c.Delete} {
		for _, n := range []int{0, 1, 2, 1000, 1001} {
			before := len(s.received())
			got, err := change(t.Context(), "A", namesOf(n))
			calls := len(s.received()) - before
			switch {
			case n > 1000:
				if callError(t, err).Verdict != migrate.VerdictHalve || calls != 0 {
					t.Errorf("%d friends: %v, %d calls", n, err, calls)
				}
			case err != nil || len(got) != n || calls != min(n, 1):
				t.Errorf("%d friends: %d outcomes, %d calls, %v", n, len(got), calls, err)
			}
		}
	}
	if _, err := c.Delete(t.Context(), "A", []migrate.Edge{{To: "\xff"}}); callError(t, err).Verdict != migrate.VerdictHalve {
		t.Error(err)
	}
}
