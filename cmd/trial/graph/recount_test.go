package graph

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// edge is a row as the naive reader of these tests sees it.
type edge struct {
	from, to, remark, source, wording string
	remarkTime, addTime               string
	groups                            []string
	custom                            map[string]string
}

func compareEdges(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) }

// edges reads rows that are all valid, in the order of accounts.
func edges(t *testing.T, o Options, data []byte) []edge {
	t.Helper()
	var list []edge
	read(t, o, data, false, func(line int64, e edge, err error) {
		if err != nil {
			t.Fatalf("line %d: %v", line, err)
		}
		list = append(list, e)
	})
	slices.SortFunc(list, compareEdges)
	return list
}

// recount counts what is in data the slow and plain way; keep takes rows whose optional fields are over a limit.
func recount(t *testing.T, o Options, data []byte, keep bool) Expect {
	t.Helper()
	var count Expect
	rosters := make(map[string]map[string]edge)
	read(t, o, data, keep, func(_ int64, e edge, err error) {
		count.Rows++
		if err != nil {
			count.Rejected++
			return
		}
		friends := rosters[e.from]
		if friends == nil {
			friends = make(map[string]edge)
			rosters[e.from] = friends
		}
		if other, ok := friends[e.to]; ok {
			count.Duplicates++
			if !reflect.DeepEqual(other, e) {
				count.Differing++
			}
			return
		}
		friends[e.to] = e
		count.Edges++
	})
	for from, friends := range rosters {
		count.Rosters++
		count.Calls += (int64(len(friends)) + 999) / 1000
		count.Largest = max(count.Largest, int64(len(friends)))
		for to := range friends {
			if _, mutual := rosters[to][from]; !mutual {
				count.Pairs++
				count.MissingReverses++
			} else if from < to {
				count.Pairs++
				count.MutualPairs++
			}
		}
	}
	return count
}

func read(t *testing.T, o Options, data []byte, keep bool, row func(line int64, e edge, err error)) {
	t.Helper()
	if o.BOM != bytes.HasPrefix(data, []byte("\ufeff")) {
		t.Fatal("byte order mark")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if rows := bytes.Count(data, []byte("\n")); len(data) > 0 && rows > 1 && o.Unterminated == bytes.HasSuffix(data, []byte("\n")) {
		t.Fatal("end of the last line")
	}
	check := func(line int64, e edge, err error) { row(line, e, errors.Join(err, invalid(e, keep))) }
	if o.Format == CSV {
		readCSV(t, data, check)
	} else {
		readJSONL(data, check)
	}
}

// readCSV reads record by record. After a broken one it goes on with the next line.
func readCSV(t *testing.T, data []byte, row func(line int64, e edge, err error)) {
	t.Helper()
	var columns []string
	for line := int64(1); len(data) > 0; {
		r := csv.NewReader(bufio.NewReaderSize(bytes.NewReader(data), 64))
		r.FieldsPerRecord = len(columns)
		record, err := r.Read()
		size := int(r.InputOffset())
		if err != nil {
			size = bytes.IndexByte(data, '\n') + 1
			if size == 0 {
				size = len(data)
			}
		}
		switch {
		case columns == nil && err != nil:
			t.Fatal(err)
		case columns == nil:
			columns = record
		case err != nil:
			row(line, edge{}, err)
		default:
			row(line, csvEdge(columns, record), nil)
		}
		line += int64(bytes.Count(data[:size], []byte("\n")))
		data = data[size:]
	}
}

func csvEdge(columns, record []string) edge {
	e := edge{custom: make(map[string]string)}
	fields := map[string]*string{
		"From_Account": &e.from, "To_Account": &e.to, "Remark": &e.remark, "RemarkTime": &e.remarkTime, "AddSource": &e.source,
		"AddWording": &e.wording, "AddTime": &e.addTime,
	}
	for i, name := range columns {
		switch {
		case record[i] == "":
		case name == "GroupName":
			e.groups = strings.Split(record[i], ";")
		case strings.HasPrefix(name, "Tag_SNS_Custom_"):
			e.custom[name] = record[i]
		default:
			*fields[name] = record[i]
		}
	}
	return e
}

func readJSONL(data []byte, row func(line int64, e edge, err error)) {
	for line := int64(1); len(data) > 0; line++ {
		text, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		var keys map[string]json.RawMessage // json.Unmarshal into a struct would take from_account too
		var item struct {
			From_Account, To_Account, Remark, AddSource, AddWording string
			RemarkTime, AddTime                                     json.Number
			GroupName                                               []string
			CustomItem                                              []struct {
				Tag   string
				Value json.RawMessage
			}
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		err := errors.Join(json.Unmarshal(text, &keys), decoder.Decode(&item))
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.Join(err, errors.New("more behind it"))
		}
		if keys["From_Account"] == nil {
			item.From_Account = ""
		}
		if !utf8.Valid(text) || bytes.Contains(text, []byte(`\ud800`)) {
			err = errors.Join(err, errors.New("invalid UTF-8"))
		}
		e := edge{
			from: item.From_Account, to: item.To_Account, remark: item.Remark, source: item.AddSource, wording: item.AddWording,
			remarkTime: item.RemarkTime.String(), addTime: item.AddTime.String(), groups: item.GroupName, custom: make(map[string]string),
		}
		for _, c := range item.CustomItem {
			e.custom[c.Tag] = strings.Trim(string(c.Value), `"`)
		}
		row(line, e, err)
	}
}

// invalid says why a row can't be sent.
func invalid(e edge, keep bool) error {
	for _, id := range []string{e.from, e.to} {
		if id == "" || len(id) > 32 || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
			return errors.New("account id")
		}
	}
	if e.from == e.to {
		return errors.New("its own friend")
	}
	if keyword, ok := strings.CutPrefix(e.source, "AddSource_Type_"); !ok || keyword == "" || len(keyword) > 8 {
		return errors.New("add source")
	}
	for _, number := range []string{e.remarkTime, e.addTime} {
		if _, err := strconv.ParseUint(number, 10, 63); number != "" && err != nil {
			return err
		}
	}
	if keep {
		return nil
	}
	long := len(e.remark) > 96 || len(e.wording) > 256 || len(e.groups) > 32
	for _, group := range e.groups {
		long = long || len(group) > 30
	}
	for _, value := range e.custom {
		long = long || len(value) > 500
	}
	if long {
		return errors.New("over a limit")
	}
	return nil
}
