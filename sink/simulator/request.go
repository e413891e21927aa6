package simulator

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// request is the body of any call.
type request struct {
	from  string
	items []item   // friend_import, friend_update
	to    []string // friend_check, friend_delete; the ids of the account calls
	kind  string   // CheckType, DeleteType

	start            *uint32 // friend_get; nil: absent
	standard, custom uint64
}

type item struct {
	Friend
	illegalField string // friend_update: the field for which the item is refused
}

// The bodies of the APIs.
type (
	importRequest struct {
		From  string `json:"From_Account"`
		Items []item `json:"AddFriendItem"`
	}
	updateRequest struct {
		From  string `json:"From_Account"`
		Items []struct {
			To     string   `json:"To_Account"`
			Fields []tagged `json:"SnsItem"`
		} `json:"UpdateItem"`
	}
	checkRequest struct {
		From string   `json:"From_Account"`
		To   []string `json:"To_Account"`
		Kind string   `json:"CheckType"`
	}
	deleteRequest struct {
		From string   `json:"From_Account"`
		To   []string `json:"To_Account"`
		Kind string   `json:"DeleteType"`
	}
	getRequest struct {
		From     string  `json:"From_Account"`
		Start    *uint32 `json:"StartIndex"`
		Standard uint64  `json:"StandardSequence"`
		Custom   uint64  `json:"CustomSequence"`
	}
	accountCheckRequest struct {
		Accounts []userID `json:"CheckItem"`
	}
	accountsImportRequest struct {
		Accounts []userID `json:"AccountList"`
		IDs      []string `json:"Accounts"` // the old form
	}
	userID struct {
		ID string `json:"UserID"`
	}
	tagged struct {
		Tag   string
		Value jsontext.Value
	}
)

func (b importRequest) request() request { return request{from: b.From, items: b.Items} }
func (b checkRequest) request() request  { return request{from: b.From, to: b.To, kind: b.Kind} }
func (b deleteRequest) request() request { return request{from: b.From, to: b.To, kind: b.Kind} }

func (b updateRequest) request() request {
	q := request{from: b.From, items: make([]item, len(b.Items))}
	for i, it := range b.Items {
		q.items[i].To = it.To
		if len(it.Fields) == 0 {
			q.items[i].illegalField = "SnsItem"
		}
		for _, t := range it.Fields {
			q.items[i].change(t)
		}
	}
	return q
}

func (b getRequest) request() request {
	return request{from: b.From, start: b.Start, standard: b.Standard, custom: b.Custom}
}

func (b accountCheckRequest) request() request {
	return accountsImportRequest{Accounts: b.Accounts}.request()
}

func (b accountsImportRequest) request() request {
	q := request{to: b.IDs}
	for _, account := range b.Accounts {
		q.to = append(q.to, account.ID)
	}
	return q
}

// strict refuses names that an API does not have. The vendor does not say what happens to them, and
// to refuse them reveals a client's mistake. noNulls also refuses null in place of a string or a
// number; the service accepts it in place of an optional array.
var (
	strict  = json.RejectUnknownMembers(true)
	noNulls = json.JoinOptions(strict, json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(refuseNull[string]), json.UnmarshalFromFunc(refuseNull[uint64]))))
)

func refuseNull[T any](d *jsontext.Decoder, _ *T) error {
	if d.PeekKind() == jsontext.KindNull {
		return &json.SemanticError{GoType: reflect.TypeFor[T]()}
	}
	return errors.ErrUnsupported // read it as usual
}

// decode reads a body of type B.
func decode[B interface{ request() request }](body []byte) (request, error) {
	var b B
	options := strict
	if bytes.Contains(body, []byte("null")) { // only then, because it takes twice as long
		options = noNulls
	}
	err := json.Unmarshal(body, &b, options)
	return b.request(), err
}

// read reads body as a request to the API, or says why it is refused.
func (c *command) read(body []byte) (request, refusal) {
	q, err := c.decode(body)
	wrong, isWrong := errors.AsType[*json.SemanticError](err)
	switch text := jsontext.Value(body); {
	case text.Kind() != jsontext.KindBeginObject, err != nil && !(isWrong && text.IsValid()):
		return request{}, c.refuse(60003)
	case err == nil:
		return q, refusal{}
	}
	name := ""
	for token := range wrong.JSONPointer.Tokens() {
		if _, err := strconv.Atoi(token); err != nil { // it is no index
			name = token
		}
	}
	isAccount := strings.HasSuffix(name, "_Account") || name == "Accounts" || name == "UserID"
	if isAccount && wrong.GoType.Kind() == reflect.String {
		return q, refusal{60015, name + " is not a string"}
	}
	return q, c.illegal(name)
}

// UnmarshalJSONFrom reads a custom field: a string or an integer.
func (c *Custom) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var t tagged
	err := json.UnmarshalDecode(d, &t)
	if err == nil {
		*c, err = t.custom()
	}
	return err
}

func (t tagged) custom() (c Custom, err error) {
	kind := t.Value.Kind()
	c = Custom{Tag: t.Tag, Value: string(t.Value), Integer: kind == jsontext.KindNumber}
	switch {
	case kind == jsontext.KindString:
		err = json.Unmarshal(t.Value, &c.Value)
	case !c.Integer || bytes.ContainsAny(t.Value, ".eE"):
		err = errors.New("neither a string nor an integer")
	}
	return c, err
}

// change sets a field for friend_update. A tag that friend_update does not let change makes the
// item illegal, and so does a value of another type or an empty one, because its effect is
// documented nowhere.
func (it *item) change(t tagged) {
	field, ok := "Tag", false
	switch {
	case t.Tag == "Tag_SNS_IM_Remark":
		field = "Remark"
		ok = json.Unmarshal(t.Value, &it.Remark) == nil && it.Remark != ""
	case t.Tag == "Tag_SNS_IM_Group":
		field = "Group"
		ok = json.Unmarshal(t.Value, &it.Groups, noNulls) == nil && len(it.Groups) > 0
	case strings.HasPrefix(t.Tag, "Tag_SNS_Custom_"):
		c, err := t.custom()
		field, ok = "CustomItem", err == nil && c.Value != ""
		it.Custom = append(it.Custom, c)
	}
	if !ok && it.illegalField == "" {
		it.illegalField = field
	}
}
