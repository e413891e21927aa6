package migrate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "friendmigrate"

// place says what the packages of a folder may import: of ours, by folder, and of
// third parties, with what lies below.
type place struct{ ours, others []string }

// mayImport is the map of the code. A package that isn't on it has no place yet.
var mayImport = map[string]place{
	"migrate":            {others: []string{"github.com/agnivade/levenshtein", "golang.org/x/sync/errgroup"}},
	"migrate/codec":      {ours: []string{"migrate"}},
	"migrate/disk":       {},
	"migrate/jsonscan":   {},
	"source/accountlist": {ours: []string{"source"}},
	"source":             {ours: []string{"migrate", "migrate/codec", "migrate/disk", "migrate/jsonscan", "source/stage", "source/objects", "source/spool"}, others: []string{gocsv, compress, "golang.org/x/sync/errgroup"}},
	"source/spool":       {ours: []string{"migrate", "migrate/disk"}},
	"source/stage":       {ours: []string{"migrate", "migrate/codec", "migrate/disk", "source/spool"}, others: []string{compress + "/s2", "github.com/cespare/xxhash/v2"}},
	"source/objects":     {ours: []string{"migrate"}, others: []string{minio}},
	"sink":               {ours: []string{"migrate", "migrate/disk", "migrate/jsonscan"}, others: []string{tlsSig, "golang.org/x/time/rate", "golang.org/x/sync/semaphore"}},
	"sink/friendlist":    {ours: []string{"migrate", "sink"}},
	"sink/simulator":     {others: []string{tlsSig, jsonV2}},
	"checkpoint":         {ours: []string{"migrate", "migrate/codec", "migrate/disk"}},

	"cmd/friendmigrate": {
		ours: []string{"migrate", "migrate/disk", "source", "source/stage", "source/objects", "source/spool", "source/accountlist", "sink", "sink/friendlist", "sink/simulator", "checkpoint", "cmd/friendmigrate/..."},
		others: []string{"go.uber.org/zap", "github.com/urfave/cli/v3", "github.com/rivo/uniseg", "golang.org/x/net/netutil", "golang.org/x/term",
			yaml, schedules, "github.com/prometheus/client_golang/prometheus", "github.com/prometheus/common/expfmt", "github.com/go-analyze/charts"},
	},
	// Every part of the command may read settings. They know none of them.
	"cmd/friendmigrate/settings": {ours: []string{"migrate", "migrate/disk", "source", "source/objects", "sink", "sink/simulator"}},
	"cmd/trial/graph":            {},
	"cmd/trial/quick":            {ours: []string{"migrate/disk"}},

	// The fault suite runs the built program. Only its oracle looks into the program's own files,
	// with the packages that wrote them; nothing of it sends.
	"cmd/trial":        {ours: []string{"cmd/trial/lab", "cmd/trial/oracle", "cmd/trial/graph", "sink/simulator"}, others: []string{tlsSig}},
	"cmd/trial/lab":    {ours: []string{"sink/simulator"}, others: []string{compress}},
	"cmd/trial/oracle": {ours: []string{"cmd/trial/lab", "migrate", "migrate/disk", "source/stage", "checkpoint"}},
}

const (
	gocsv    = "github.com/gocarina/gocsv"
	compress = "github.com/klauspost/compress"
	jsonV2   = "github.com/go-json-experiment/json" // encoding/json/v2 of Go 1.27
	minio    = "github.com/minio/minio-go/v7"
	tlsSig   = "github.com/tencentyun/tls-sig-api-v2-golang"

	yaml      = "go.yaml.in/yaml/v3"
	schedules = "github.com/robfig/cron/v3" // the parser that Kubernetes uses
)

// testsMayImport is what tests may import besides: any test, and those of one folder. Only the
// tests of cmd/friendmigrate join source, sink and checkpoint.
var (
	testsMayImport = place{ours: []string{"cmd/trial/graph", "cmd/trial/quick"}, others: []string{"go.uber.org/goleak", "github.com/rogpeppe/go-internal/testscript"}}
	testsOf        = map[string]place{
		"sink":              {ours: []string{"sink/simulator"}},
		"source/objects":    {ours: []string{"source"}},
		"cmd/friendmigrate": {others: []string{minio}}, // fills a store that its tests start
	}
)

// The core says what is done, not how: no files, no network, no wire format, no log.
var coreNeverImports = []string{"os", "io/fs", "io/ioutil", "path/filepath", "net", "syscall", "log", "encoding", "database", "bufio", "compress", "embed", "html", "text/template"}

func TestImportsPointAtTheCore(t *testing.T) {
	packages := packageFiles(t)
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		rule, known := placeOf(folder)
		if !known {
			t.Errorf("package %s has no place on the map of the code", folder)
			continue
		}
		for _, file := range packages[folder] {
			for _, imported := range file.imports {
				fits := rule.allows(imported)
				if file.isTest() {
					fits = fits || testsMayImport.allows(imported) || testsOf[folder].allows(imported) || imported == path.Join(module, folder)
				}
				if !fits {
					t.Errorf("%s imports %q", path.Join(folder, file.name), imported)
				}
			}
		}
	}
}

func TestTheCoreTouchesNothingOutside(t *testing.T) {
	for _, file := range packageFiles(t)["migrate"] {
		for _, imported := range file.imports {
			if !file.isTest() && slices.ContainsFunc(coreNeverImports, func(never string) bool { return within(imported, never) }) {
				t.Errorf("%s imports %q", file.name, imported)
			}
		}
	}
}

// A tag on a field of the core would make it speak somebody's wire format.
func TestTheCoreHasNoStructTags(t *testing.T) {
	for _, file := range packageFiles(t)["migrate"] {
		if file.isTest() {
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok && field.Tag != nil {
				t.Errorf("%s: a field has the tag %s", file.name, field.Tag.Value)
			}
			return true
		})
	}
}

func TestTheMapOfTheCodeIsTheCode(t *testing.T) {
	packages := packageFiles(t)
	for folder := range mayImport {
		if len(packages[folder]) == 0 {
			t.Errorf("the map names %s, which is no package", folder)
		}
	}
}

// placeOf returns the entry of the map that holds for a folder: its own, or that of the command,
// whose parts without one share it.
func placeOf(folder string) (place, bool) {
	if _, own := mayImport[folder]; !own && within(folder, command) {
		folder = command
	}
	p, known := mayImport[folder]
	return p, known
}

// The table in the command's doc.go says which of its packages may import which.
func TestThePackagesOfTheCommandImportDownwards(t *testing.T) {
	const command = module + "/" + command
	packages, line := packageFiles(t), linesOf(t)
	for folder, files := range packages {
		if !within(module+"/"+folder, command) {
			continue
		}
		for _, file := range files {
			if file.isTest() {
				continue
			}
			own, known := line[folder]
			if !known {
				t.Fatalf("the table in doc.go lacks %s", folder)
			}
			for _, imported := range file.imports {
				if at := line[strings.TrimPrefix(imported, module+"/")]; within(imported, command) && at <= own {
					t.Errorf("%s/%s imports %s, which does not stand below it", folder, file.name, imported)
				}
			}
		}
	}
	for folder := range line {
		if len(packages[folder]) == 0 {
			t.Errorf("the table in doc.go names %s, which is no package", folder)
		}
	}
}

const command = "cmd/friendmigrate"

// linesOf reads the table: the number of the line on which a package stands, by its folder.
func linesOf(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", command, "doc.go"))
	if err != nil {
		t.Fatal(err)
	}
	line := map[string]int{}
	for row := range strings.Lines(string(text)) {
		if row, found := strings.CutPrefix(row, "//\t"); found {
			names, _, _ := strings.Cut(row, "  ")
			at := len(line) + 1
			for _, name := range strings.Fields(names) {
				line[path.Join(command, strings.TrimPrefix(name, "main"))] = at
			}
		}
	}
	return line
}

func (p place) allows(imported string) bool {
	if folder, ours := strings.CutPrefix(imported, module+"/"); ours {
		return slices.ContainsFunc(p.ours, func(our string) bool {
			above, all := strings.CutSuffix(our, "/...")
			return folder == our || all && within(folder, above)
		})
	}
	first, _, _ := strings.Cut(imported, "/")
	standard := !strings.Contains(first, ".")
	return standard || slices.ContainsFunc(p.others, func(other string) bool { return within(imported, other) })
}

// within reports whether an import path is another or below it.
func within(imported, other string) bool {
	return imported == other || strings.HasPrefix(imported, other+"/")
}

type goFile struct {
	name    string
	imports []string
	syntax  *ast.File
}

func (f *goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// packageFiles parses all Go files of the module, whatever their build constraints, by folder.
func packageFiles(t *testing.T) map[string][]goFile {
	t.Helper()
	packages := make(map[string][]goFile)
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || strings.HasPrefix(entry.Name(), "_") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if _, err := fs.Stat(root, name+"/go.mod"); entry.IsDir() && name != "." && err == nil {
			return fs.SkipDir // a module of its own
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		file := goFile{name: path.Base(name), syntax: syntax}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			file.imports = append(file.imports, imported)
		}
		packages[path.Dir(name)] = append(packages[path.Dir(name)], file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
