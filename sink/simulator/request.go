package simulator

import "strings"

// request is the body of any call. Its strings are parts of the body and keep it in memory.
type request struct {
	from  string
	items []item   // friend_import, friend_update
	to    []string // friend_check, friend_delete; the ids of the account calls
	kind  string   // CheckType, DeleteType
	nulls int      // null in place of arrays that an item need not have

	hasList, hasStart       bool // an account call's list, friend_get's StartIndex
	noTo                    bool // an item has no To_Account
	start, standard, custom int64
}

type item struct {
	Friend
	illegalField string // friend_update: the field for which the item is refused
}

// The names in items.
var (
	namesInImport = []string{"To_Account", "Remark", "RemarkTime", "GroupName", "AddSource", "AddWording",
		"AddTime", "CustomItem"}
	namesInUpdate = []string{"To_Account", "SnsItem"}
	namesInCheck  = []string{"UserID"}
	namesInTagged = []string{"Tag", "Value"}
)

// decode reads body as a request to api.
func (q *request) decode(api *command, body string) refusal {
	p := &scanner{api: api, s: body}
	if api.name == apiImport {
		q.items = make([]item, 0, min(strings.Count(body, `"To_Account"`), maxItems))
	}
	p.document(api.members, func(name string) { q.member(p, name) })
	q.nulls = p.nulls
	if p.bad {
		return api.refuse(60003)
	}
	return p.wrong
}

// member reads the value of one name in the body. The command says which names an API has.
func (q *request) member(p *scanner, name string) {
	switch name {
	case "From_Account":
		q.from = p.account(name)
	case "AddFriendItem":
		p.objects(name, func() { q.item(p, namesInImport) })
	case "UpdateItem":
		p.objects(name, func() { q.item(p, namesInUpdate) })
	case "To_Account", "Accounts":
		q.hasList = true
		p.array(name, func() { q.to = append(q.to, p.account(name)) })
	case "CheckType", "DeleteType":
		q.kind = p.text(name)
	case "StartIndex":
		q.start, q.hasStart = p.integer(name), true
	case "StandardSequence":
		q.standard = p.integer(name)
	case "CustomSequence":
		q.custom = p.integer(name)
	case "CheckItem", "AccountList":
		q.hasList = true
		p.objects(name, func() {
			had := len(q.to)
			p.object(namesInCheck, func(name string) { q.to = append(q.to, p.account(name)) })
			if len(q.to) == had {
				p.refuse(p.api.illegal("UserID"))
			}
		})
	}
}

func (q *request) item(p *scanner, known []string) {
	q.items = append(q.items, item{})
	it := &q.items[len(q.items)-1]
	hasTo := false
	p.object(known, func(name string) {
		switch name {
		case "To_Account":
			it.To, hasTo = p.account(name), true
		case "Remark":
			it.Remark = p.text(name)
		case "RemarkTime":
			it.RemarkTime = p.integer(name)
		case "GroupName":
			if !p.null() {
				it.Groups = p.strings("Group")
			}
		case "AddSource":
			it.AddSource = p.text("Source")
		case "AddWording":
			it.AddWording = p.text("Wording")
		case "AddTime":
			it.AddTime = p.integer(name)
		case "CustomItem":
			if !p.null() {
				p.objects(name, func() { it.addCustom(p, p.tagged(name)) })
			}
		case "SnsItem":
			p.objects(name, func() { it.change(p, p.tagged(name)) })
		}
	})
	q.noTo = q.noTo || !hasTo
}

func (p *scanner) strings(field string) (list []string) {
	p.array(field, func() { list = append(list, p.text(field)) })
	return list
}

// tagged is an object with a Tag and a Value.
type tagged struct {
	Custom          // of a string or a number
	list   []string // of an array
	kind   byte     // of the value: '"', '[', '0' for a number; 0: another one, or no value
}

func (p *scanner) tagged(field string) (t tagged) {
	p.object(namesInTagged, func(name string) {
		if name == "Tag" {
			t.Tag = p.text(field)
			return
		}
		switch b := p.next(); {
		case b == '"':
			t.kind, t.Value = '"', p.quoted()
		case b == '[':
			t.kind, t.list = '[', p.strings(field)
		case b == '-' || b >= '0' && b <= '9':
			t.kind, t.Integer, t.Value = '0', true, p.number()
		default:
			p.skip()
		}
	})
	return t
}

// addCustom adds a custom field: a string or an integer.
func (it *item) addCustom(p *scanner, t tagged) {
	if t.Tag == "" || t.kind == 0 || t.kind == '[' || t.Integer && strings.ContainsAny(t.Value, ".eE") {
		p.refuse(p.api.illegal("CustomItem"))
	}
	it.Custom = append(it.Custom, t.Custom)
}

// change sets a field for friend_update. A tag that friend_update does not let change makes the
// item illegal, and so does an empty value, because its effect is documented nowhere.
func (it *item) change(p *scanner, t tagged) {
	field, empty, kind := "Tag", true, t.kind
	switch {
	case t.Tag == "Tag_SNS_IM_Remark":
		field, empty, kind = "Remark", t.Value == "", '"'
		it.Remark = t.Value
	case t.Tag == "Tag_SNS_IM_Group":
		field, empty, kind = "Group", len(t.list) == 0, '['
		it.Groups = t.list
	case strings.HasPrefix(t.Tag, "Tag_SNS_Custom_"):
		field, empty = "CustomItem", t.Value == ""
		it.addCustom(p, t)
	}
	if t.kind != kind {
		p.refuse(p.api.illegal(field))
	}
	if empty && it.illegalField == "" {
		it.illegalField = field
	}
}
