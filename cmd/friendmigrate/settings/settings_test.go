package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// good is the least that a real run needs.
func good(more map[string]string) Values {
	v := Values{Flags: map[string][]string{"sdk-app-id": {"1400000000"}, "secret-key-file": {"key"}, "region": {"singapore"}}, Env: map[string]string{}}
	for name, value := range more {
		if strings.ToUpper(name) == name {
			v.Env[name] = value
			continue
		}
		if value == "-" {
			delete(v.Flags, name)
			continue
		}
		v.Flags[name] = []string{value}
	}
	return v
}

// FRIENDMIGRATE_SAMPLE may be set for verify.
func TestDoctorIsNotStoppedByAVariableOfVerify(t *testing.T) {
	if _, err := Read("doctor", good(map[string]string{"FRIENDMIGRATE_SAMPLE": "500"}), nil); err != nil {
		t.Error(err)
	}
	if _, err := Read("doctor", good(map[string]string{"sample": "500"}), nil); err == nil || !strings.Contains(err.Error(), "--accounts") {
		t.Errorf("as a flag: %v", err)
	}
}

func TestDefaultsAreThoseOfTheContract(t *testing.T) {
	s, err := Read("import", good(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v %+v %+v", s.Pace, s.Stop, s.Output)
	want := "{Rate:200 Workers:300 Timeout:10s MaxAttempts:8 OutageTimeout:15m0s CallBytes:1048576} {MaxDuration:0s MaxFailures:-1 MaxExtraCalls:-1 MaxFailureRatio:0.5} {Progress:auto LogFormat:auto LogLevel:info Warnings:[]}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s.Service.Identifier != "administrator" || s.Service.SigLifetime != 24*time.Hour || s.Job.State != "friendmigrate-state" || s.Job.StateGiven || s.Job.Memory != 256<<20 ||
		s.Rows.MaxFriends != 3000 {
		t.Errorf("%+v", s)
	}
}

func TestSettingsThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		name string
		more map[string]string
		want string // in the message
	}{
		{"no app", map[string]string{"sdk-app-id": "-"}, "--sdk-app-id is missing"},
		{"app 0", map[string]string{"sdk-app-id": "0"}, "--sdk-app-id is 0"},
		{"app of more than 32 bits", map[string]string{"sdk-app-id": "4294967296"}, "at most 4294967295"},
		{"no key", map[string]string{"secret-key-file": "-"}, "FRIENDMIGRATE_SECRET_KEY"},
		{"no target", map[string]string{"region": "-"}, "--region is missing: china, singapore"},
		{"region misspelt", map[string]string{"region": "singapur"}, `--region is "singapur", did you mean singapore? It can be china`},
		{"both", map[string]string{"endpoint": "https://x"}, "--region and --endpoint are both given"},
		{"backup of an endpoint", map[string]string{"region": "-", "endpoint": "https://x", "backup-host": "true"}, "--backup-host"},
		{"plain http", map[string]string{"region": "-", "endpoint": "http://chat.example.com"}, "--allow-plain-http"},
		{"endpoint with a path", map[string]string{"region": "-", "endpoint": "https://x/v4"}, "host and port alone"},
		{"endpoint without scheme", map[string]string{"region": "-", "endpoint": "localhost:80"}, "--endpoint has to be the URL"},
		{"rate", map[string]string{"rate": "fast"}, `--rate is "fast": a number is needed`},
		{"rate from a variable", map[string]string{"FRIENDMIGRATE_RATE": "fast"}, `FRIENDMIGRATE_RATE is "fast"`},
		{"rate NaN", map[string]string{"rate": "NaN"}, "--rate"},
		{"time without unit", map[string]string{"timeout": "10"}, "such as 30s"},
		{"more attempts than are counted", map[string]string{"max-attempts": "256"}, "--max-attempts is 256: at most 255"},
		{"memory", map[string]string{"memory": "1KiB"}, "--memory is 1KiB: at least 64 MiB"},
		{"size", map[string]string{"chunk-bytes": "big"}, "--chunk-bytes"},
		{"listen without a port", map[string]string{"listen": "localhost"}, `--listen is "localhost": it is HOST:PORT`},
		{"listen on a name", map[string]string{"FRIENDMIGRATE_LISTEN": ":http"}, `FRIENDMIGRATE_LISTEN has the port "http"`},
		{"linger alone", map[string]string{"linger": "5s"}, "--listen is not given"},
		{"linger without a unit", map[string]string{"listen": ":0", "linger": "5"}, "--linger"},
		{"choice", map[string]string{"duplicates": "newest"}, "--duplicates"},
		{"progress", map[string]string{"progress": "dots"}, `--progress is "dots": it can be auto, bar, lines, none`},
		{"map", map[string]string{"map": "uid"}, "NAME=HEADER"},
		{"map twice", map[string]string{"map": "From_Account=a,From_Account=b"}, "two headers for From_Account"},
		{"codes", map[string]string{"retry-failed": "x"}, "ResultCodes separated by commas"},
		{"ratio", map[string]string{"max-failure-ratio": "5"}, "--max-failure-ratio"},
		{"switch", map[string]string{"FRIENDMIGRATE_MUTUAL": "perhaps"}, "FRIENDMIGRATE_MUTUAL"},
		{"shard", map[string]string{"shard": "4/4"}, "--shard"},
		{"index without count", map[string]string{"JOB_COMPLETION_INDEX": "0"}, "FRIENDMIGRATE_SHARDS is not"},
		{"count without index", map[string]string{"FRIENDMIGRATE_SHARDS": "4"}, "JOB_COMPLETION_INDEX is not"},
		{"index over count", map[string]string{"JOB_COMPLETION_INDEX": "4", "FRIENDMIGRATE_SHARDS": "4"}, "below the number of shards"},
		{"a line end of Windows", map[string]string{"FRIENDMIGRATE_STATE": "se\r"}, `FRIENDMIGRATE_STATE is "se\r", which has a control character in it`},
		{"a line end in a flag", map[string]string{"only-accounts": "a\nb"}, `--only-accounts is "a\nb"`},
		{"a line end in an endpoint", map[string]string{"region": "-", "FRIENDMIGRATE_ENDPOINT": "https://x\r"}, `FRIENDMIGRATE_ENDPOINT is "https://x\r"`},
		{"rate below the shards", map[string]string{"shard": "0/300"}, "less than one call per second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("import", good(c.more), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAControlCharacterIsTheOnlyErrorAndShowsNoKey(t *testing.T) {
	const key = "5bd2850fff3ecb11d7c805251c51ee46"
	for _, more := range []map[string]string{{"region": "-", "FRIENDMIGRATE_ENDPOINT": "https://x\r"}, {"secret-key-file": key + "\r"}} {
		if _, err := Read("import", good(more), nil); err == nil || strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), key) {
			t.Errorf("%q", err)
		}
	}
	// a header and a path in Latin-1 stay as they are
	s, err := Read("import", good(map[string]string{"map": "Remark=a\tb", "state": "caf\xe9"}), nil)
	if err != nil || s.Rows.Map["Remark"] != "a\tb" || s.Job.State != "caf\xe9" {
		t.Errorf("%+v, %v", s.Rows.Map, err)
	}
	if !IsKey(key + "\r") {
		t.Error("a key with a line end is shown in hints")
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := Read("import", good(map[string]string{"rate": "x", "timeout": "y", "sdk-app-id": "-"}), nil)
	for _, want := range []string{"--rate", "--timeout", "--sdk-app-id"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestAFlagWinsOverItsVariable(t *testing.T) {
	s, err := Read("import", good(map[string]string{
		"rate": "50", "FRIENDMIGRATE_RATE": "70", "FRIENDMIGRATE_TIMEOUT": "7s", "FRIENDMIGRATE_ENDPOINT": "https://other.example.com",
		"FRIENDMIGRATE_SERVICE_HOST": "10.0.0.1", "FRIENDMIGRATE_PORT": "tcp://10.0.0.1:80", "FRIENDMIGRATE_MEMORY": "", "FRIENDMIGRATE_FRESH": "true",
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Pace.Rate != 50 || s.Pace.Timeout != 7*time.Second || s.Service.Region != "singapore" || s.Service.Endpoint != "" {
		t.Errorf("%+v", s)
	}
	if s.Job.Fresh {
		t.Error("--fresh has no variable")
	}
	if s.Job.Memory != DefaultMemory {
		t.Errorf("an empty variable is a setting: memory is %d", s.Job.Memory)
	}
}

func TestEveryFlagHasItsVariable(t *testing.T) {
	samples := map[string]string{"sdk-app-id": "7", "region": "tokyo", "map": "From_Account=uid", "default-add-source": "AddSource_Type_X", "integer-tags": "Tag_SNS_Custom_A",
		"shard": "1/2", "retry-failed": "30003", "progress": "none", "log-format": "json", "log-level": "debug", "format": "csv", "invalid-field": "cut", "duplicates": "first", "s3-addressing": "path"}
	for _, f := range Flags("import") {
		value, ok := samples[f.Name]
		switch {
		case ok:
		case f.Kind == Switch:
			value = "true"
		case f.Name == "max-failure-ratio":
			value = "0.25"
		default:
			value = map[bool]string{true: "17s", false: "123456789"}[strings.Contains(f.Value, "TIME")]
		}
		base := map[string]string{f.Name: "-"}
		if f.Name == "endpoint" {
			base["region"], value = "-", "https://e.example.com"
		}
		if f.Name == "listen" {
			value = "127.0.0.1:9090"
		}
		if f.Name == "linger" {
			base["listen"] = ":0"
		}
		if f.Name == "chunk-bytes" {
			value = "2MiB"
		}
		if f.Name == "sig-lifetime" {
			value = "17h"
		}
		if f.Name == "workers" || f.Name == "max-attempts" {
			value = "17"
		}
		without, _ := Read("import", good(base), nil)
		base[Variable(f.Name)] = value
		with, err := Read("import", good(base), nil)
		if same := fmt.Sprintf("%+v", without) == fmt.Sprintf("%+v", with); err != nil || same != f.NoVariable {
			t.Errorf("--%s from %s: changes nothing %t, error %v", f.Name, Variable(f.Name), same, err)
		}
	}
}

func TestARehearsalNeedsAndTakesNoCredentials(t *testing.T) {
	s, err := Read("import", Values{Flags: map[string][]string{"rehearse": {"true"}}}, nil)
	if err != nil || s.Service.Target() != "rehearsal" || s.Service.SDKAppID != RehearsalApp {
		t.Errorf("%+v, %v", s.Service, err)
	}
	s, err = Read("import", good(map[string]string{"rehearse": "true", "FRIENDMIGRATE_SECRET_KEY": "secret"}), nil)
	if err != nil || s.Service.Key.Given() || s.Service.Region != "" || s.Service.SDKAppID != 1400000000 {
		t.Errorf("%+v, %v", s.Service, err)
	}
}

func TestShardsDivideTheRate(t *testing.T) {
	for _, c := range []struct {
		more    map[string]string
		shard   string
		rate    float64
		workers int
	}{
		{map[string]string{"shard": "2/7"}, "2/7", 28, 42},
		{map[string]string{"JOB_COMPLETION_INDEX": "0", "FRIENDMIGRATE_SHARDS": "3"}, "0/3", 66, 99},
		{map[string]string{"JOB_COMPLETION_INDEX": "5", "shard": "1/2"}, "1/2", 100, 150},
		{map[string]string{"shard": "0/1"}, "0/1", 200, 300},
		{map[string]string{"shard": "0/4", "rate": "100000"}, "0/4", 100000, 1000},
	} {
		s, err := Read("import", good(c.more), nil)
		if err != nil || s.Job.Shard.String() != c.shard || s.Pace.Rate != c.rate || s.Pace.Workers != c.workers {
			t.Errorf("%v: %v %v %v, %v", c.more, s.Job.Shard, s.Pace.Rate, s.Pace.Workers, err)
		}
	}
}

func TestCodesOfRetryFailed(t *testing.T) {
	for value, want := range map[string]string{"true": "[] true", "false": "[] false", "30010,30003,30003": "[30003 30010] true", " 7 , 8": "[7 8] true"} {
		codes, on, err := ParseCodes(value)
		if got := fmt.Sprint(codes, on); got != want || err != nil {
			t.Errorf("%q: %s, %v", value, got, err)
		}
	}
	for value, want := range map[string]bool{"30003": true, "30003,30010": true, "friends.csv": false, "7": false, "true": false, "2024": true} {
		if got := LooksLikeCodes(value); got != want {
			t.Errorf("LooksLikeCodes(%q) = %t", value, got)
		}
	}
}

func TestEndpointIsCanonicalAndPlainHTTPStaysHere(t *testing.T) {
	for in, want := range map[string]string{
		"https://Chat.Example.com/": "https://chat.example.com", "http://127.0.0.1:8080": "http://127.0.0.1:8080", "http://localhost:1": "http://localhost:1", "http://[::1]:2": "http://[::1]:2",
	} {
		if got, err := CheckEndpoint(in, false); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"http://10.0.0.1", "http://localhost.example.com", "ftp://127.0.0.1", "https://", "https://u:p@x", "https://x?usersig=y", "https://x#y"} {
		if got, err := CheckEndpoint(in, false); err == nil {
			t.Errorf("%q passes as %q", in, got)
		} else if strings.Contains(err.Error(), "usersig") || strings.Contains(err.Error(), "u:p") {
			t.Errorf("the message repeats what may be secret: %v", err)
		}
	}
	if _, err := CheckEndpoint("http://10.0.0.1", true); err != nil {
		t.Error(err)
	}
}

func TestMemoryFollowsTheContainersLimit(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		root fs.FS
		want int64
	}{
		"version 2":              {fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("max\n"), "sys/fs/cgroup/a/memory.max": file("1000000000\n")}, 700000000},
		"version 2, own root":    {fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("536870912\n")}, 375809638},
		"version 1":              {fstest.MapFS{"proc/self/cgroup": file("5:cpu:/x\n4:memory:/docker/1\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("200000000\n")}, 140000000},
		"version 1, no limit":    {fstest.MapFS{"proc/self/cgroup": file("4:memory:/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, DefaultMemory},
		"less than it can do":    {fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("50000000\n")}, leastMemory},
		"no cgroups":             {fstest.MapFS{}, DefaultMemory},
		"a path out of its root": {fstest.MapFS{"proc/self/cgroup": file("0::/../x\n"), "sys/fs/cgroup/memory.max": file("1000000000\n")}, 700000000},
	} {
		s, err := Read("import", good(nil), c.root)
		if err != nil || s.Job.Memory != c.want {
			t.Errorf("%s: %d, want %d (%v)", name, s.Job.Memory, c.want, err)
		}
	}
	s, _ := Read("import", good(map[string]string{"memory": "1GiB"}), fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("536870912\n")})
	if s.Job.Memory != 1<<30 {
		t.Errorf("the flag does not win over the container: %d", s.Job.Memory)
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{"1": 1, "1KiB": 1024, "2k": 2048, "1Ki": 1024, "1kB": 1000, "256MiB": 256 << 20, "1.5 GiB": 3 << 29, "3GB": 3e9} {
		if got, err := ParseSize(in); got != want || err != nil {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "MiB", "1XiB", "-1", "1e30TiB", "NaN"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("%q is %d", in, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1 << 20: "1 MiB", 1500: "1.5 KiB", 256 << 20: "256 MiB"} {
		if got := FormatSize(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}

func TestTheKeyIsNeverRepeated(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	dir := t.TempDir()
	write := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	read := func(file, variable string) (Key, error) {
		v := good(map[string]string{"secret-key-file": "-", KeyVariable: variable})
		if file != "" {
			v.Flags["secret-key-file"] = []string{file}
		}
		s, err := Read("import", v, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", s, s, s, s.Service.Key); variable != "" && strings.Contains(text, variable) {
			t.Errorf("settings print the key: %s", text)
		}
		_, err = s.Service.Key.Source()
		return s.Service.Key, err
	}
	for name, c := range map[string]struct {
		file, variable string
		want           string // in the message; empty: it works
	}{
		"a file":                         {write("key", key+"\n"), "", ""},
		"a variable":                     {"", "  " + key + "\n", ""},
		"the key for the file":           {key, "", "is not repeated here"},
		"no such file":                   {filepath.Join(dir, "none"), "", "no such file"},
		"an empty file":                  {write("empty", " \n"), "", "empty"},
		"another file":                   {write("env", "KEY="+key+"\nAPP=1\n"), "", "only the value"},
		"a key with something else":      {"", key + " " + key, "only the key"},
		"a variable in quotes":           {"", `"` + key + `"`, KeyVariable + ": the key is in quotes"},
		"the key in quotes for the file": {`'` + key + `'`, "", "is not repeated here"},
	} {
		_, err := read(c.file, c.variable)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		case err != nil && strings.Contains(err.Error(), key):
			t.Errorf("%s: the message repeats the key: %v", name, err)
		}
	}
}

func TestAProxyThatCannotBeUsedIsNeverBypassedNorShown(t *testing.T) {
	for _, name := range ProxyVariables {
		for value, usable := range map[string]bool{
			"": true, "proxy:3128": true, "http://proxy": true, "https://user:word@proxy:443/": true, "socks5://127.0.0.1:1080": true,
			"SOCKS5h://proxy": true, "user:word@proxy:3128": true, "[::1]:3128": true, "http://user:w%2Frd@proxy:3128": true,
			`"http://user:word@proxy:3128"`: false, "http://user:w/rd@proxy:3128": false, "http://user:12/34@proxy:3128": false,
			"http://user:w#rd@proxy": false, "http://user:w?rd@proxy": false, "http://user:w%rd@proxy": false, "ftp://user:word@proxy": false,
			"http://": false, "http://:3128": false, ":3128": false, " ": false, "http://proxy:port": false, "http://proxy:0": false,
			"http://proxy:70000": false, "http://pro xy": false, "//proxy:3128": false, "http//proxy:3128": false, "none\n": false,
		} {
			v := good(nil)
			v.Env[name] = value
			_, err := Read("import", v, nil)
			if (err == nil) != usable {
				t.Errorf("%s=%q: %v", name, value, err)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), name+" cannot be read") || strings.ContainsAny(err.Error(), "#?\"") || strings.Contains(err.Error(), "user")) {
				t.Errorf("%s=%q: the message does not name it, or shows it: %v", name, value, err)
			}
			v.Flags["rehearse"] = []string{"true"}
			if _, err := Read("import", v, nil); err != nil {
				t.Errorf("%s=%q stops a rehearsal, which has no use for it: %v", name, value, err)
			}
		}
	}
}

func TestCallsInFlightLeaveFilesToTheRest(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) }()
	for _, c := range []struct {
		files   uint64
		workers string // asked for
		more    string
		want    int
		warning string
	}{
		{100, "68", "", 68, ""},
		{100, "69", "", 68, "at most, not 69"},
		{100, "69", "rehearse", 34, "34 calls"},
		{33, "10000", "", 1, "1 call in flight at most"},
		{20, "1", "", 1, ""},
		{20, "2", "", 1, "20 files"},
	} {
		limit := before
		limit.Cur = c.files
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Skip(err)
		}
		v := good(map[string]string{"workers": c.workers})
		if c.more != "" {
			v.Flags[c.more] = []string{"true"}
		}
		s, err := Read("import", v, nil)
		text := strings.Join(s.Output.Warnings, "\n")
		if err != nil || s.Pace.Workers != c.want || (text == "") != (c.warning == "") || !strings.Contains(text, c.warning) {
			t.Errorf("%d files, %s workers: %d and %q, %v; want %d and %q", c.files, c.workers, s.Pace.Workers, text, err, c.want, c.warning)
		}
	}
}

func TestARateAboveTheServicesIsWarnedOfOnce(t *testing.T) {
	for rate, want := range map[string]int{"0.1": 0, "200": 0, "200.5": 1, "100000": 1} {
		for name, read := range map[string]func(Values) (Output, error){
			"import": func(v Values) (Output, error) { s, err := Read("import", v, nil); return s.Output, err },
			"verify": func(v Values) (Output, error) { s, err := Read("verify", v, nil); return s.Output, err },
			"plan":   func(v Values) (Output, error) { s, err := Read("plan", v, nil); return s.Output, err },
			"shard": func(v Values) (Output, error) {
				v.Flags["shard"] = []string{"0/2"}
				s, err := Read("verify", v, nil)
				return s.Output, err
			},
		} {
			if name == "shard" && rate == "0.1" {
				continue
			}
			o, err := read(good(map[string]string{"rate": rate, "workers": "1"}))
			if err != nil || len(o.Warnings) != want || want == 1 && !strings.Contains(o.Warnings[0], "the service takes 200") {
				t.Errorf("%s --rate %s: %q, %v", name, rate, o.Warnings, err)
			}
		}
	}
}

// A flag whose value is empty, as that of a script's unset variable, is refused: to pass over
// --only-accounts would import everything.
func TestAFlagWithAnEmptyValueIsRefused(t *testing.T) {
	for command, c := range map[string]struct {
		flags []Flag
		read  func(Values) error
	}{
		"import":   {Flags("import"), func(v Values) error { _, err := Read("import", v, nil); return err }},
		"plan":     {Flags("plan"), func(v Values) error { _, err := Read("plan", v, nil); return err }},
		"verify":   {Flags("verify"), func(v Values) error { _, err := Read("verify", v, nil); return err }},
		"export":   {Flags("export"), func(v Values) error { _, err := Read("export", v, nil); return err }},
		"doctor":   {Flags("doctor"), func(v Values) error { _, err := Read("doctor", v, nil); return err }},
		"status":   {Flags("status"), func(v Values) error { _, err := Read("status", v, nil); return err }},
		"failures": {Flags("failures"), func(v Values) error { _, err := Read("failures", v, nil); return err }},
		"clean":    {Flags("clean"), func(v Values) error { _, err := Read("clean", v, nil); return err }},
	} {
		for _, f := range c.flags {
			ignored := command == "plan" && f.Hidden // nothing to it but a part of the same command line
			if err := c.read(good(map[string]string{f.Name: ""})); f.Kind == Takes && !ignored && (err == nil || !strings.Contains(err.Error(), "--"+f.Name)) {
				t.Errorf("%s --%s \"\": %v", command, f.Name, err)
			}
		}
	}
	if _, err := Read("import", good(map[string]string{"FRIENDMIGRATE_ONLY_ACCOUNTS": ""}), nil); err != nil {
		t.Errorf("an empty variable is none: %v", err)
	}
}

// TestAShareNeverExceedsTheRate of all shards together, but for shares of less than a call.
func TestAShareNeverExceedsTheRate(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		count int
		want  float64
	}{{200, 0, 200}, {200, 1, 200}, {50, 4, 12}, {200, 3, 66}, {3, 4, 0.75}, {100000, 4, 100000}} {
		if got := (Shard{Count: c.count}).RateOf(c.rate); got != c.want {
			t.Errorf("%v for %d shards: %v, want %v", c.rate, c.count, got, c.want)
		}
	}
}

func TestCodesOfRepeatedFlagsAreAllMeant(t *testing.T) {
	var j Job
	for _, all := range [][]string{{"true", "true"}, {"true", "30003"}, {"30003", "true"}} {
		if err := j.setRetry()(all); err != nil || !j.RetryFailed || j.RetryCodes != nil {
			t.Errorf("%q: codes %v, %v", all, j.RetryCodes, err)
		}
	}
	if err := j.setRetry()([]string{"30003", "30010,30013"}); err != nil {
		t.Fatal(err)
	}
	if want := []int{30003, 30010, 30013}; !j.RetryFailed || !slices.Equal(j.RetryCodes, want) {
		t.Errorf("codes %v, want %v", j.RetryCodes, want)
	}
}

// Two meanings of one path let a command write over what it reads.
func TestAPathMeansOneFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.MkdirAll("far/d", 0o700), os.Symlink("far/d", "link")); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"link/../a": "far/a", "link/..": "far", "gone/../a": "./a", "gone/../-": "./-", "far/d/../../b": "./b", "../a/": "../a/", "..": "..", "link/a..": "link/a..",
		"-": "-", "./-": "./-", "s3://b/x/../y": "s3://b/x/../y", "": "", "/a/../b": "/b", "/a/..": "/", "none://a/../b": "none:/b",
	} {
		if got := Path(given); got != want {
			t.Errorf("%q is %q, not %q", given, got, want)
		}
	}
	for _, command := range []string{"import", "status", "pace", "doctor", "export", "simulate"} {
		for _, f := range Flags(command) {
			if !strings.HasSuffix(f.Value, "FILE") && f.Value != "FOLDER" {
				continue
			}
			s, _ := Read(command, Values{Flags: map[string][]string{f.Name: {"link/../a.csv"}}}, nil)
			if text := fmt.Sprintf("%+v", s); !strings.Contains(text, "far/a.csv") || strings.Contains(text, "..") {
				t.Errorf("%s --%s: %s", command, f.Name, text)
			}
		}
	}
}
