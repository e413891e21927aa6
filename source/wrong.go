package source

import (
	"cmp"
	"path"
	"path/filepath"
	"strings"

	"friendmigrate/source/objects"
)

// wrong is a kind of content that cannot be read, with the command that converts it. Without a
// command the content can be read but the name or --format is wrong.
type wrong struct {
	what   string // "is a ZIP archive"
	filter string // from standard input to standard output
	file   string // or from the file whose name follows to standard output
	look   string // or a command that shows the file whose name follows
	format string // of the output; "": unchanged
}

// kind is a kind of file, recognised by its first bytes or by the end of its name.
type kind struct {
	magic, ext string
	wrong
}

const pandas = `python3 -c "import pandas,sys; pandas.read_METHOD.to_csv(sys.stdout,index=False)"`

var (
	excel      = strings.Replace(pandas, "METHOD", "excel(sys.argv[1],dtype=str)", 1)
	parquet    = strings.Replace(pandas, "METHOD", "parquet(sys.argv[1])", 1)
	tarArchive = wrong{what: "is a tar archive", filter: "tar -xOf -"}
)

var kinds = []kind{
	{"PK\x03\x04", ".xlsx", wrong{what: "is an Excel workbook (XLSX)", file: excel, format: CSV}},
	{"PK\x03\x04", ".zip", wrong{what: "is a ZIP archive", file: "unzip -p"}},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls", wrong{what: "is an Excel workbook (XLS)", file: excel, format: CSV}},
	{"BZh", ".bz2", wrong{what: "is packed as bzip2, which is not read", filter: "bzip2 -dc"}},
	{"\xfd7zXZ\x00", ".xz", wrong{what: "is packed as xz, which is not read", filter: "xz -dc"}},
	{"\x04\x22\x4d\x18", ".lz4", wrong{what: "is packed as lz4, which is not read", filter: "lz4 -dc"}},
	{"\x1f\x9d", ".z", wrong{what: "is packed by compress, which is not read", filter: "gzip -dc"}},
	{"7z\xbc\xaf\x27\x1c", ".7z", wrong{what: "is a 7-Zip archive", file: "7z e -so"}},
	{"PAR1", ".parquet", wrong{what: "is a Parquet file", file: parquet, format: CSV}},
	{"", ".tar", tarArchive},
	{"", ".tgz", wrong{what: "is a tar archive", filter: "tar -xOzf -"}},
	{string(magicGzip), "", wrong{what: "is packed as gzip", filter: "gzip -dc"}},
	{string(magicZstd), "", wrong{what: "is packed as zstd", filter: "zstd -dc"}},
}

// separators are characters that some files have in place of commas.
var separators = []struct {
	char byte
	wrong
}{
	{';', separated("semicolons", ";")}, {'\t', separated("tabs", `\t`)}, {'|', separated("|", "|")},
	{hive, separated(`\x01, as in Hive`, `\x01`)},
}

const hive = '\x01'

func separated(by, delimiter string) wrong {
	// A byte order mark goes. Bytes that are no UTF-8 stay as they are; their rows are rejected
	// later.
	return wrong{
		what: "has columns separated by " + by + "; they have to be separated by commas",
		filter: `python3 -c "import csv,sys; i,o=sys.stdin,sys.stdout; ` +
			`i.reconfigure(encoding='utf-8-sig',errors='surrogateescape'); ` +
			`o.reconfigure(encoding='utf-8',errors='surrogateescape'); ` +
			`csv.writer(o).writerows(csv.reader(i,delimiter='` + delimiter + `'))"`,
	}
}

var (
	jsonArray  = wrong{what: "is one JSON array, not an object in each line", filter: "jq -c '.[]'", format: JSONL}
	jsonArrays = wrong{what: "has an array in each line, not an object",
		filter: "jq -c '{From_Account:.[0],To_Account:.[1]}'", format: JSONL}
	jsonJoined = wrong{what: "has several JSON objects in one line", filter: "jq -c .", format: JSONL}
	jsonPretty = wrong{what: "is JSON with objects of several lines each", filter: "jq -c .", format: JSONL}
	crLines    = wrong{what: "has lines that end in CR alone, not in LF or CR LF", filter: `tr '\r' '\n'`}
	nulBytes   = wrong{what: "has NUL bytes, which no text has", filter: `tr -d '\000'`}
	noText     = wrong{what: "is not text in UTF-8", look: "file"}
	firstLines = wrong{look: "head -n 3"}
)

// kindByName returns the kind of unreadable content that the end of a name says, or nil.
func kindByName(name string) *wrong {
	if _, packed := nameSays(name); packed != compressionNone {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	for i, k := range kinds {
		if k.ext != "" && strings.EqualFold(k.ext, filepath.Ext(name)) {
			return &kinds[i].wrong
		}
	}
	return nil
}

// CheckName returns an error if an input's name says that it is of a kind that is not read.
func CheckName(name string) error {
	_, packed := nameSays(name)
	return kindByName(name).error(name, "", packed)
}

// error returns an *InputError for an input, or nil if w is nil. format is that of the input,
// which counts if the name says none.
func (w *wrong) error(name, format string, packed compression) error {
	if w == nil {
		return nil
	}
	made := *w
	said, _ := nameSays(name)
	if said == "" {
		made.format = cmp.Or(w.format, format)
	}
	e := &InputError{Name: name, Reason: w.what, Fix: made.fix(name, packed)}
	if packed != compressionNone && strings.HasPrefix(w.what, "is packed") {
		e.Reason = "what " + packed.String() + " unpacks of it " + w.what
	}
	if said == "" && w.filter+w.file+w.look == "" {
		e.Fix, e.Better = nil, Flag{"format", made.format}
	}
	return e
}

// fix returns command in the form of InputError.Fix.
func (w *wrong) fix(name string, packed compression) func(quote func(string) string) string {
	return func(quote func(string) string) string { return w.command(name, packed, quote) }
}

// command returns a command that makes a readable input. It writes to the current folder, because a
// new file next to the old one in an input folder would be another input.
func (w *wrong) command(name string, packed compression, quote func(string) string) string {
	comment := ""
	switch {
	case isStream(name) && w.look != "":
		name = "FILE"
	case isStream(name):
		name, comment = "FILE", " # and name the new file instead"
	case objects.IsName(name):
		name, comment = path.Base(name), " # of a copy of the object"
	}
	stem, format := w.split(name)
	from, to := quote(name), quote(filepath.Base(stem)+"-new."+format)
	unpack := ""
	if packed != compressionNone {
		unpack = packed.String() + " -dc < " + from
	}
	switch {
	case w.look != "" && unpack != "":
		return unpack + " | " + w.look + " -" + comment
	case w.look != "":
		return w.look + " " + from + comment
	case w.file != "" && unpack != "":
		return unpack + " > " + to + comment // then the new file's own kind is found
	case w.file != "":
		return w.file + " " + from + " > " + to + comment
	case w.filter == "":
		return "mv -n " + from + " " + quote(stem+"."+format+packed.ext()) + comment
	case unpack == "":
		return w.filter + " < " + from + " > " + to + comment
	}
	return unpack + " | " + w.filter + " > " + to + comment
}

// split removes the endings for packing and format from a name. format is that of the file that the
// command makes.
func (w *wrong) split(name string) (stem, format string) {
	said, packed := nameSays(name)
	for packed != compressionNone || kindByName(name) != nil {
		name = strings.TrimSuffix(name, filepath.Ext(name))
		said, packed = nameSays(name)
	}
	ext := filepath.Ext(name)
	if said != "" || w.format == "" { // the second: for example a list of accounts
		name = strings.TrimSuffix(name, ext)
	}
	return name, cmp.Or(w.format, cmp.Or(said, cmp.Or(strings.TrimPrefix(ext, "."), CSV)))
}
