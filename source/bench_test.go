package source

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// nullLane stages nothing: what is measured is reading alone.
type nullLane struct{ edges atomic.Int64 }

func (l *nullLane) Add(*migrate.Edge) (bool, error) {
	l.edges.Add(1)
	return true, nil
}

// benchRows is what the generated inputs of the benchmarks have.
const benchRows = 200_000

// benchInput writes an input of benchRows rows, or is the file that BENCH_INPUT names.
func benchInput(b *testing.B, name string, row func(i int) string, header string) string {
	if file := os.Getenv("BENCH_INPUT"); file != "" {
		return file
	}
	var text bytes.Buffer
	text.WriteString(header)
	for i := range benchRows {
		text.WriteString(row(i * 7919 % 1000003))
	}
	data := text.Bytes()
	if filepath.Ext(name) == ".gz" {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(data)
		w.Close()
		data = packed.Bytes()
	}
	path := filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchRead(b *testing.B, path string) {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	var rows int64
	for b.Loop() {
		lists := newLists(disk.OS{}, b.TempDir(), []string{path})
		sink := &nullLane{}
		r := newReading(Request{Inputs: []string{path}, Lanes: 2, FS: disk.OS{}}, lists, func(string) bool { return true }, func(int) lane { return sink })
		counts, err := r.run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if counts.Rows != sink.edges.Load()+counts.Rejected || counts.Rejected > counts.Rows/1000 {
			b.Fatalf("%d rows, %d edges, %d rejected", counts.Rows, sink.edges.Load(), counts.Rejected)
		}
		rows = counts.Rows
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

const csvHeader = "From_Account,To_Account,AddSource\n"

// BenchmarkReadCSV reads, digests, parses and validates plain rows; BENCH_INPUT=file reads that
// instead.
func BenchmarkReadCSV(b *testing.B) {
	benchRead(b, benchInput(b, "plain.csv", func(i int) string {
		return fmt.Sprintf("u%08d,u%08d,AddSource_Type_Import\n", i, i^12345)
	}, csvHeader))
}

// BenchmarkReadQuotedCSV has every cell in quotes, so that records have to be cut one by one.
func BenchmarkReadQuotedCSV(b *testing.B) {
	benchRead(b, benchInput(b, "quoted.csv", func(i int) string {
		return fmt.Sprintf("\"u%08d\",\"u%08d\",\"AddSource_Type_Import\"\n", i, i^12345)
	}, csvHeader))
}

// BenchmarkReadFullCSV has every field of the API.
func BenchmarkReadFullCSV(b *testing.B) {
	benchRead(b, benchInput(b, "full.csv", func(i int) string {
		return fmt.Sprintf("u%08d,u%08d,AddSource_Type_Import,Remark %d,1420000001,Friends;Colleagues,hello,1420000001,word\n", i, i^12345, i)
	}, "From_Account,To_Account,AddSource,Remark,RemarkTime,GroupName,AddWording,AddTime,Tag_SNS_Custom_Note\n"))
}

func BenchmarkReadGzipCSV(b *testing.B) {
	benchRead(b, benchInput(b, "packed.csv.gz", func(i int) string {
		return fmt.Sprintf("u%08d,u%08d,AddSource_Type_Import\n", i, i^12345)
	}, csvHeader))
}

func BenchmarkReadJSONL(b *testing.B) {
	benchRead(b, benchInput(b, "rows.jsonl", func(i int) string {
		return fmt.Sprintf("{\"From_Account\":\"u%08d\",\"To_Account\":\"u%08d\",\"AddSource\":\"AddSource_Type_Import\"}\n", i, i^12345)
	}, ""))
}

// BenchmarkStage reads and stages: the whole way to a sealed stage.
func BenchmarkStage(b *testing.B) {
	path := benchInput(b, "plain.csv", func(i int) string {
		return fmt.Sprintf("u%08d,u%08d,AddSource_Type_Import\n", i, i^12345)
	}, csvHeader)
	var rows int64
	for b.Loop() {
		p, err := ReadInputs(b.Context(), Request{Inputs: []string{path}, StateDir: b.TempDir(), Memory: 160 << 20})
		if err != nil {
			b.Fatal(err)
		}
		s, err := p.Seal()
		if err != nil {
			b.Fatal(err)
		}
		rows = p.Counts.Rows
		s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}
