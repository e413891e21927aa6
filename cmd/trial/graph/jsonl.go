package graph

const hex = "0123456789abcdef"

// appendJSON appends a row in the shape of the API's items, without a line end.
func (o *Options) appendJSON(dst []byte, r *record) []byte {
	dst = appendJSONString(append(dst, `{"From_Account":`...), r.from)
	dst = appendJSONString(append(dst, `,"To_Account":`...), r.to)
	if len(o.Fields) > 0 {
		dst = appendJSONFriend(dst, r)
	}
	if r.source != "" {
		dst = appendJSONString(append(dst, `,"AddSource":`...), r.source)
	}
	if len(r.wording) > 0 {
		dst = appendJSONString(append(dst, `,"AddWording":`...), r.wording)
	}
	if len(r.addTime) > 0 {
		dst = appendJSONNumber(append(dst, `,"AddTime":`...), r.addTime)
	}
	return append(o.appendJSONCustom(dst, r), '}')
}

func appendJSONFriend(dst []byte, r *record) []byte {
	if len(r.remark) > 0 {
		dst = appendJSONString(append(dst, `,"Remark":`...), r.remark)
	}
	if len(r.remarkTime) > 0 {
		dst = appendJSONNumber(append(dst, `,"RemarkTime":`...), r.remarkTime)
	}
	if len(r.groups) > 0 {
		separator := byte('[')
		dst = append(dst, `,"GroupName":`...)
		for _, group := range r.groups {
			dst = appendJSONString(append(dst, separator), group)
			separator = ','
		}
		dst = append(dst, ']')
	}
	return dst
}

func (o *Options) appendJSONCustom(dst []byte, r *record) []byte {
	separator := `,"CustomItem":[`
	for i, c := range o.Custom {
		if len(r.custom[i]) == 0 {
			continue
		}
		dst = appendJSONString(append(append(dst, separator...), `{"Tag":`...), c.Tag)
		dst = append(dst, `,"Value":`...)
		if c.Integer {
			dst = appendJSONNumber(dst, r.custom[i])
		} else {
			dst = appendJSONString(dst, r.custom[i])
		}
		dst = append(dst, '}')
		separator = ","
	}
	if separator == "," {
		dst = append(dst, ']')
	}
	return dst
}

// appendJSONNumber appends digits as they are, and what isn't a number as a string.
func appendJSONNumber(dst, number []byte) []byte {
	if number[0] < '0' || number[0] > '9' {
		return appendJSONString(dst, number)
	}
	return append(dst, number...)
}

// appendJSONString appends s in quotes. Bytes that are not UTF-8 stay as they are: a reader has to refuse them.
func appendJSONString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
