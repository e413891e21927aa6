package source

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"friendmigrate/source/objects"
)

// inUTF16 and inUTF32 are how other programs write a text.
func inUTF16(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func inUTF32(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, r := range s {
		b = order.AppendUint32(b, uint32(r))
	}
	return string(b)
}

const (
	sniffHeader = "From_Account,To_Account,AddSource,Remark\n"
	csvRows     = sniffHeader + "a,b," + src + ",x\nc,d," + src + ",\n"
	someJSON    = `{"From_Account":"a","To_Account":"b","AddSource":"` + src + `"}`
)

// wrongKinds are contents that are refused, by what is said of them.
var wrongKinds = []struct{ name, content, says, command string }{
	{"a.csv", strings.ReplaceAll(csvRows, "\n", "\r"), "CR alone", `tr '\r' '\n' < a.csv > a-new.csv`},
	{"a.csv", "\r\r" + strings.ReplaceAll(csvRows, "\n", "\r"), "CR alone", `tr '\r'`},
	{"a.csv", sniffHeader + "a,b," + src + ",x\rc,d," + src + ",\r", "CR alone", `tr '\r'`},
	{"a.csv", sniffHeader + "a,b," + src + ",\"x\"\rc,d," + src + ",\r", "CR alone", `tr '\r'`},
	{"a.csv", csvRows + "e,f," + src + ",\"x\ny\"\rg,h," + src + ",\"z\"\ri,j," + src + ",\n", "CR alone", `tr '\r'`},
	{"a.csv", strings.Replace(csvRows, "\n", "\r", 1), "CR alone", `tr '\r'`},
	{"a.csv", strings.ReplaceAll(csvRows, "\n", "\r\r\n"), "CR alone", `tr '\r'`},
	{"a.csv", strings.TrimSuffix(sniffHeader, "\n") + strings.Repeat("\ra,b,"+src+",", 60000), "CR alone", `tr '\r'`},
	{"a.csv", sniffHeader + strings.Repeat("a,b,"+src+",\r", 60000), "CR alone", `tr '\r'`},
	{"a.csv", sniffHeader + strings.Repeat("a,b,"+src+",\"\"\r", 60000), "CR alone", `tr '\r'`},
	{"a.jsonl", strings.Repeat(someJSON+"\r", 2), "CR alone", `tr '\r' '\n' < a.jsonl > a-new.jsonl`},
	{"a.jsonl", strings.Repeat(someJSON+"\n", 20) + strings.Repeat(someJSON+" \r", 20000), "CR alone", `tr '\r'`},
	{"a.jsonl", "[" + someJSON + ",\n" + someJSON + "]\n", "JSON array", `jq -c '.[]' < a.jsonl > a-new.jsonl`},
	{"a.jsonl", "[\n" + someJSON + "\n]\n", "JSON array", "jq"},
	{"a.jsonl", "[" + someJSON + "]", "JSON array", "jq"},
	{"a.jsonl", "\ufeff \n[" + strings.Repeat(someJSON+",", 3000) + someJSON + "]", "JSON array", "jq"},
	{"a.jsonl", strings.ReplaceAll(someJSON, ",", ",\n  "), "objects of several lines", `jq -c . < a.jsonl > a-new.jsonl`},
	{"a.jsonl", "{\n  \"From_Account\": \"" + strings.Repeat("a", sniffSize) + "\"\n}\n", "objects of several lines", "jq -c ."},
	{"a.jsonl", strings.Repeat(someJSON, 50000), "several JSON objects in one line", `jq -c . < a.jsonl > a-new.jsonl`},
	{"a.jsonl", strings.Repeat(someJSON+" "+someJSON+"\n", 2), "several JSON objects in one line", "jq -c ."},
	{"a.jsonl", "[" + someJSON + "]\n[" + someJSON + "]\n", "JSON array", `jq -c '.[]'`},
	{"a.jsonl", "[\"a\",\"b\"]\n[\"b\",\"a\"]\n", "an array in each line", `jq -c '{From_Account:.[0],To_Account:.[1]}' < a.jsonl`},
	{"a.jsonl", csvRows, "is CSV", "mv -n a.jsonl a.csv"},
	{"a.jsonl", strings.ReplaceAll(csvRows, ",", ";"), "is CSV", "mv -n a.jsonl a.csv"},
	{"a.jsonl", "what is this\nand this\n", "is not JSONL", "head -n 3 a.jsonl"},
	{"a.csv", someJSON + "\n" + someJSON + "\n", "is JSONL", "mv -n a.csv a.jsonl"},
	{"a.csv", "\ufeff" + someJSON, "is JSONL", "mv -n a.csv a.jsonl"},
	{"a.csv", "[" + someJSON + "]", "JSON array", `jq -c '.[]' < a.csv > a-new.jsonl`},
	{"a.csv", "{\n\"From_Account\":\"a\"}", "objects of several lines", `jq -c . < a.csv > a-new.jsonl`},
	{"a.csv", strings.ReplaceAll(csvRows, ",", ";"), "separated by semicolons", "delimiter=';'"},
	{"a.csv", strings.ReplaceAll(csvRows, ",", "\t"), "separated by tabs", `delimiter='\t'`},
	{"a.csv", strings.ReplaceAll(csvRows, ",", "|"), "separated by |", "delimiter='|'"},
	{"a.csv", `"From_Account";"To_Account";"AddSource"` + "\n", "separated by semicolons", "delimiter=';'"},
	{"a.csv", "\ufeff" + `"From_Account"` + "\t" + `"To_Account"`, "separated by tabs", "delimiter"},
	{"a.csv", "From_Account;To_Account;Remark,x;AddSource\na;b;r,s;" + src + "\n", "separated by semicolons", "delimiter"},
	{"a.csv", "\"From_Account\"\t\"To_Account\"\t\"Remark,x,y,z,1,2,3\"\n", "separated by tabs", "delimiter"},
	{"a.csv", "von;an;Grund\n1;2;3\n", "separated by semicolons", "delimiter"},
	{"a.csv", strings.ReplaceAll(csvRows, ",", "\x01"), `separated by \x01`, `delimiter='\x01'`},
	{"a.csv", "<!DOCTYPE html>\n<p>403\n", `there is "<!DOCTYPE html>"`, "head -n 3 a.csv"},
	{"a.jsonl", "<!DOCTYPE html>\n<p>403\n", "is not JSONL", "head -n 3 a.jsonl"},
	{"a.csv", sniffHeader + "a;b;" + src + ";x\nc;d;" + src + ";\n", "separated by semicolons", "delimiter=';'"},
	{"a.csv", sniffHeader + "\n" + strings.Repeat("a\tb\t"+src+"\t\n\n", 6000), "separated by tabs", "delimiter"},
	{"a.csv", "sep=;\n" + strings.ReplaceAll(csvRows, ",", ";"), "a line for Excel", "tail -n +2 < a.csv"},
	{"a.csv", inUTF16("\ufeff"+csvRows, binary.LittleEndian), "UTF-16", "iconv -f UTF-16 -t UTF-8 < a.csv > a-new.csv"},
	{"a.csv", inUTF16("\ufeff"+csvRows, binary.BigEndian), "UTF-16", "iconv -f UTF-16 "},
	{"a.csv", inUTF16(csvRows, binary.LittleEndian), "UTF-16LE", "iconv -f UTF-16LE "},
	{"a.csv", inUTF16(csvRows, binary.BigEndian), "UTF-16BE", "iconv -f UTF-16BE "},
	{"a.csv", inUTF16(sniffHeader+strings.Repeat("用户,友人,"+src+",汉\n", 2000), binary.LittleEndian), "UTF-16LE", "iconv"},
	{"a.csv", inUTF32("\ufeff"+csvRows, binary.LittleEndian), "UTF-32", "iconv -f UTF-32 "},
	{"a.csv", inUTF32("\ufeff"+csvRows, binary.BigEndian), "UTF-32", "iconv -f UTF-32 "},
	{"a.csv", inUTF32(csvRows, binary.LittleEndian), "UTF-32LE", "iconv -f UTF-32LE "},
	{"a.csv", inUTF32(csvRows, binary.BigEndian), "UTF-32BE", "iconv -f UTF-32BE "},
	{"a.csv", sniffHeader + inUTF16(strings.Repeat("a,b,"+src+",x\n", 20), binary.LittleEndian), "NUL bytes", "tr -d"},
	{"a.jsonl", inUTF16(someJSON, binary.LittleEndian), "UTF-16LE", "iconv -f UTF-16LE -t UTF-8 < a.jsonl > a-new.jsonl"},
	{"a.jsonl", inUTF16("\ufeff"+someJSON, binary.BigEndian), "UTF-16", "iconv"},
	{"a.jsonl", inUTF32(someJSON, binary.LittleEndian), "UTF-32LE", "iconv"},
	{"a.csv", strings.Repeat("\x00", 1000), "NUL bytes", "tr -d"},
	{"a.jsonl", strings.Repeat("\x00", 1000), "NUL bytes", "tr -d"},
	{"a.csv", "From_Account\x00,To_Account,AddSource\na,b," + src + "\n", "NUL bytes", "tr -d"},
	{"a.csv", "PK\x03\x04 xx", "a ZIP archive", "unzip -p a.csv > a-new.csv"},
	{"a.csv", "PK\x03\x04 [Content_Types].xml xl/workbook", "Excel", "read_excel"},
	{"a.jsonl", "PK\x03\x04 xx", "a ZIP archive", "unzip -p a.jsonl > a-new.jsonl"},
	{"a.csv", "BZh91AY&SY\xff", "bzip2", "bzip2 -dc < a.csv > a-new.csv"},
	{"a.csv", "\xfd7zXZ\x00\x00", "xz", "xz -dc < a.csv"},
	{"a.csv", "PAR1\x15\x04", "Parquet", "read_parquet"},
	{"a.csv", "PAR1 and text", "Parquet", "read_parquet"},
	{"a.csv", "\x8f\xa0\x02\x99 bytes,of\x01nothing\n", "not text in UTF-8", "file a.csv"},
	{"a.csv", "\x8f\xa0\x02\x99\rbytes,of\x00\x01\rnothing", "not text in UTF-8", "file a.csv"},
	{"a.jsonl", "\x8f\xa0\x02\x99 bytes of\x01nothing\n", "not text in UTF-8", "file a.jsonl"},
}

func TestWrongKindsAreNamedWithTheCommandThatHelps(t *testing.T) {
	quote := func(s string) string { return filepath.Base(s) }
	for _, c := range wrongKinds {
		for _, in := range []struct{ ext, content, unpack string }{
			{"", c.content, ""}, {".gz", gzipped(t, c.content), "gzip -dc < a."}, {".zst", zstandard(t, c.content), "zstd -dc < a."},
		} {
			name := c.name + in.ext
			_, err := readTexts(t, Options{}, nil, text{name, in.content})
			var unusable *InputError
			if !errors.As(err, &unusable) || !errors.Is(err, ErrUnusable) || !strings.Contains(unusable.Reason, c.says) || unusable.Fix == nil {
				t.Errorf("%s, %.40q: got %v, want %q", name, c.content, err, c.says)
				continue
			}
			want := c.command
			if in.ext != "" {
				if want = in.unpack; strings.HasPrefix(c.command, "mv ") {
					want = "mv -n " + name
				}
			}
			if command := unusable.Fix(quote); !strings.Contains(command, want) {
				t.Errorf("%s, %.40q: the command is %s, want %s", name, c.content, command, want)
			}
			for _, r := range err.Error() {
				if r < ' ' || r == '\uFFFD' {
					t.Errorf("%s, %.40q: %q cannot be printed", name, c.content, err)
				}
			}
		}
	}
}

func TestWrongKindsInStandardInput(t *testing.T) {
	var unusable *InputError
	job := func(content string) Request {
		return Request{
			Inputs: []string{Standard}, Options: Options{Format: CSV}, Stdin: strings.NewReader(content), StateDir: t.TempDir(), FS: quickFS{},
		}
	}
	_, err := ReadInputs(t.Context(), job(strings.ReplaceAll(csvRows, "\n", "\r")))
	if !errors.As(err, &unusable) || !strings.Contains(unusable.Reason, "CR alone") ||
		!strings.HasPrefix(unusable.Fix(filepath.Base), `tr '\r' '\n' < `) || !strings.Contains(unusable.Fix(filepath.Base), "-new.csv") {
		t.Errorf("CR line ends: got %v", err)
	}
	_, err = ReadInputs(t.Context(), job(someJSON))
	if !errors.As(err, &unusable) || unusable.Better != (Flag{"format", JSONL}) || unusable.Fix != nil {
		t.Errorf("JSONL with --format csv: got %v", err)
	}
}

// What a process was given when it began is not there for the command that helps.
func TestACommandNamesNoStreamOfItsProcess(t *testing.T) {
	for name, stays := range map[string]bool{
		"-": false, "/dev/stdin": false, "/dev/fd/63": false, "/proc/self/fd/3": false, "a.csv": true, "/dev/fd/a/b": true,
	} {
		for _, err := range []error{crLines.error(name, "", compressionNone), noText.error(name, "", compressionNone), &InputError{Name: name, Line: 1}} {
			command := err.(*InputError).Command(func(s string) string { return s })
			if strings.Contains(command, name) != stays && name != Standard || strings.Contains(command, "FILE") == stays {
				t.Errorf("%s: the command is %s", name, command)
			}
		}
	}
}

func TestPackedTwice(t *testing.T) {
	for says, content := range map[string]string{
		"what gzip unpacks of it is packed as gzip":  gzipped(t, gzipped(t, csvRows)),
		"what gzip unpacks of it is packed as zstd":  gzipped(t, zstandard(t, csvRows)),
		"what zstd unpacks of it is packed as gzip":  zstandard(t, gzipped(t, csvRows)),
		"what zstd unpacks of it is packed as zstd":  zstandard(t, zstandard(t, csvRows)),
		"what gzip unpacks of it is packed as bzip2": gzipped(t, "BZh91AY&SY\xff"),
	} {
		if _, err := readTexts(t, Options{}, nil, text{"a.csv", content}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

func TestTarIsNoCSV(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "edges.csv", Size: int64(len(csvRows)), Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Write([]byte(csvRows))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{b.String(), gzipped(t, b.String())} {
		if _, err := readTexts(t, Options{}, nil, text{"a.csv", content}); err == nil || !strings.Contains(err.Error(), "is a tar archive") {
			t.Errorf("got %v", err)
		}
	}
}

func TestNamesOfOtherKinds(t *testing.T) {
	for name, says := range map[string]string{
		"edges.csv.bz2": "bzip2", "edges.jsonl.XZ": "xz", "edges.csv.zip": "ZIP", "edges.xlsx": "Excel", "edges.parquet": "Parquet",
		"edges.csv.lz4": "lz4", "edges.tar": "tar", "edges.tar.gz": "tar", "edges.csv.Z": "compress", "s3://bucket/edges.csv.bz2": "bzip2",
	} {
		err := checkNames([]Found{{Input: Input{Name: name}}}, "csv")
		if unusable := (*InputError)(nil); !errors.As(err, &unusable) || !strings.Contains(unusable.Reason, says) || unusable.Fix == nil {
			t.Errorf("%s: got %v", name, err)
		}
		if err := CheckText(name, []byte("a\nb\n")); err != nil {
			t.Errorf("text in %s: %v", name, err)
		}
	}
	if !objects.IsName("s3://bucket/edges.csv.bz2") {
		t.Error("no object")
	}
}

// One bad row costs itself, and what is odd but sound is read.
func TestRightKindsAreRead(t *testing.T) {
	good := someJSON + "\n"
	for _, c := range []struct{ name, content, pairs string }{
		{"a.csv", sniffHeader + "a,b," + src + ",\"x\ry\"\nc,d," + src + ",\"\r\"\n", "a>b@2 c>d@3"},
		{"a.csv", sniffHeader + "a,b," + src + ",hello\r, world\nc,d," + src + ",\n", "c>d@3"},
		{"a.csv", sniffHeader + strings.Repeat("c,d,"+src+",\n", 5) + strings.Repeat(".", 257-len(sniffHeader)-5*len("c,d,"+src+",\n")) + "ustar,b," + src + ",\n",
			"c>d@2 c>d@3 c>d@4 c>d@5 c>d@6"},
		{"a.csv", sniffHeader + "a,b,\"x\ry\"\nc,d," + src + ",\n", "c>d@3"},
		{"a.csv", strings.TrimSuffix(sniffHeader, "\n") + "\r", ""},
		{"a.csv", "From_Account,To_Account,AddSource,\"Re\rmark\"\na,b," + src + ",\n", "a>b@2"},
		{"a.csv", sniffHeader + "a;b;" + src + "\nc,d," + src + ",a;b;c;d;e;f;g\n", "c>d@3"},
		{"a.csv", sniffHeader + "a;b;" + src + ";x\nc,d," + src + ",\n", "c>d@3"},
		{"a.csv", "a;b;c;d;e;f;g;h," + sniffHeader + "x,a,b," + src + ",\n", "a>b@2"},
		{"a.csv", "PAR1,From_Account,To_Account,AddSource\n1,a,b," + src + "\n", "a>b@2"},
		{"a.csv", "BZh9," + sniffHeader + "1,a,b," + src + ",\n", "a>b@2"},
		{"a.csv", sniffHeader + "a,b," + src + ",汉字 ü\n", "a>b@2"},
		{"a.jsonl", "{\"From_Account\":\"a\"\n" + good, "a>b@2"},
		{"a.jsonl", "[" + someJSON + "]\n" + good, "a>b@2"},
		{"a.jsonl", csvRows + good, "a>b@4"},
		{"a.jsonl", "null\n\nx\n" + good, "a>b@4"},
		{"a.jsonl", "{\"a\":\n" + good, "a>b@2"},
		{"a.jsonl", someJSON + "\r", "a>b@1"},
		{"a.jsonl", someJSON + " \r \r\n" + good, "a>b@1 a>b@2"},
		{"a.jsonl", " \t\r\n" + good, "a>b@2"},
	} {
		r, err := readTexts(t, Options{AllowEmpty: true}, nil, text{c.name, c.content})
		if err != nil {
			t.Errorf("%.60q: %v", c.content, err)
			continue
		}
		equal(t, c.content, r.pairs(), c.pairs)
	}
}

func TestCheckText(t *testing.T) {
	for content, says := range map[string]string{
		"a\rb\rc": "CR alone", "\xff\xfea\x00": "UTF-16", inUTF16("alice\nbob\n", binary.LittleEndian): "UTF-16LE", "PK\x03\x04": "ZIP",
		string(magicGzip) + "\x08": "gzip", "BZh9\n": "", "PAR1\n": "", "a\r\nb\r\n": "", "\ufeffa\n": "", "": "",
	} {
		err := CheckText("list", []byte(content))
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", content, err, says)
		}
	}
}

func TestEveryInputErrorOfAFileHasACommand(t *testing.T) {
	quote := func(s string) string { return "<" + s + ">" }
	for _, c := range []struct {
		e    InputError
		want string
	}{
		{InputError{Name: "a b.csv", Line: 7}, "sed -n 7p <a b.csv>"},
		{InputError{Name: "a.csv.gz", Line: 7}, "gzip -dc < <a.csv.gz> | sed -n 7p"},
		{InputError{Name: "d/a.csv", Err: fs.ErrNotExist}, "ls -l <d>"},
		{InputError{Name: "d/a.csv"}, "ls -l <d/a.csv>"},
		{InputError{Name: Standard, Line: 7}, "sed -n 7p FILE # what was given to standard input"},
		{InputError{Name: Standard}, ""},
		{InputError{Name: "ids.txt", Fix: crLines.fix("ids.txt", compressionNone)}, `tr '\r' '\n' < <ids.txt> > <ids-new.txt>`},
		{InputError{Name: "s3://bucket/a.csv", Line: 7}, "aws s3 ls <s3://bucket/a.csv>"},
		{InputError{Name: "S3://Bucket/p/", Err: fs.ErrNotExist}, "aws s3 ls <s3://Bucket/p/>"},
		{InputError{Name: "d/a.csv", Fix: crLines.fix("d/a.csv", compressionZstd)}, `zstd -dc < <d/a.csv> | tr '\r' '\n' > <a-new.csv>`},
	} {
		equal(t, c.e.Name, c.e.Command(quote), c.want)
	}
}
