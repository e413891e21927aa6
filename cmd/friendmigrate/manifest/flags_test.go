package manifest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/settings"
)

// good is the least that a manifest needs, and more: flags in small letters, variables in capitals.
// "-" takes one away.
func good(more map[string]string) settings.Values {
	v := settings.Values{Flags: map[string][]string{"sdk-app-id": {"1400000000"}, "region": {"singapore"}}, Env: map[string]string{}}
	for name, value := range more {
		switch {
		case strings.ToUpper(name) == name:
			v.Env[name] = value
		case value == "-":
			delete(v.Flags, name)
		default:
			v.Flags[name] = []string{value}
		}
	}
	return v
}

func TestManifestsThatCannotBeMade(t *testing.T) {
	for _, c := range []struct {
		set   map[string]string
		extra string
		want  string // in the message
	}{
		{set: map[string]string{"name": "Friends"}, want: `--name is "Friends"`},
		{set: map[string]string{"name": "a_b"}, want: "--name"},
		{set: map[string]string{"name": strings.Repeat("x", 64)}, want: "--name has 64 characters: at most 63"},
		{set: map[string]string{"name": strings.Repeat("a", 62), "shards": "2"}, want: "at most 61"},
		{set: map[string]string{"name": strings.Repeat("a", 53), "cron": "@daily", "max-duration": "1h"}, want: "at most 52"},
		{set: map[string]string{"namespace": "my space"}, want: "--namespace"},
		{set: map[string]string{"namespace": strings.Repeat("x", 64)}, want: "--namespace has 64"},
		{set: map[string]string{"image": "a b"}, want: "--image"},
		{set: map[string]string{"image": "x\nkind: Pod"}, want: "--image"},
		{set: map[string]string{"image": "registry.example.com/Friends:1"}, want: "--image"},
		{set: map[string]string{"image": "http://registry.example.com/friends:1"}, want: "--image"},
		{set: map[string]string{"image": "reg/x::1"}, want: "--image"},
		{set: map[string]string{"image": "reg/x:1:2"}, want: "--image"},
		{set: map[string]string{"image": "reg/x@sha256:abc"}, want: "--image"},
		{set: map[string]string{"image": "reg//x"}, want: "--image"},
		{set: map[string]string{"secret": "A"}, want: "--secret"},
		{set: map[string]string{"pull-secret": "a/b"}, want: "--pull-secret"},
		{set: map[string]string{"shards": "-1"}, want: "--shards"},
		{set: map[string]string{"shards": "four"}, want: "--shards"},
		{set: map[string]string{"shards": "300"}, want: "less than one call per second for each of 300"},
		{set: map[string]string{"claim-per-shard": "true"}, want: "--claim-per-shard is for --shards"},
		{set: map[string]string{"storage-class": "A"}, want: "--storage-class"},
		{set: map[string]string{"storage-size": "10 GB"}, want: "--storage-size"},
		{set: map[string]string{"storage-size": "0"}, want: "--storage-size"},
		{set: map[string]string{"storage-size": "10gi"}, want: "--storage-size"},
		{set: map[string]string{"cron": "0 1 * * *"}, want: "--cron needs --max-duration"},
		{set: map[string]string{"cron": "0 25 * * *", "max-duration": "1h"}, want: "--cron"},
		{set: map[string]string{"cron": "0 1 * *", "max-duration": "1h"}, want: "--cron"},
		{set: map[string]string{"cron": "TZ=", "max-duration": "1h"}, want: "--time-zone"}, // makes the parser panic
		{set: map[string]string{"time-zone": "Asia/Tokyo"}, want: "--time-zone is that of --cron"},
		{set: map[string]string{"time-zone": "../etc", "cron": "@daily", "max-duration": "1h"}, want: "--time-zone"},
		{set: map[string]string{"time-zone": "Mars/X", "cron": "@daily", "max-duration": "1h"}, want: "--time-zone"},
		{set: map[string]string{"time-zone": "Asia/Singapur", "cron": "@daily", "max-duration": "1h"}, want: "--time-zone"},
		{set: map[string]string{"time-zone": "Local", "cron": "@daily", "max-duration": "1h"}, want: "--time-zone"},
		{set: map[string]string{"input": "edges.txt"}, want: "its name says no format"},
		{set: map[string]string{"input": "edges.csv.bz2"}, want: "is packed as bzip2"},
		{set: map[string]string{"input": "edges.csv.zst.gz"}, want: "its name says no format"}, // packed twice
		{set: map[string]string{"input": "edges.tar.gz"}, want: "is a tar archive"},
		{set: map[string]string{"input": "in/edges.CSV.zip"}, want: "is a ZIP archive"},
		{set: map[string]string{"input": "s3://b/x/edges.txt"}, want: "its name says no format"},
		{set: map[string]string{"input": "https://u:s3cret@h/e.csv"}, want: "only s3://"},
		{set: map[string]string{"input": "s3://u:s3cret@b/e.csv"}, want: "a user or a password"},
		{set: map[string]string{"env": "HTTPS_PROXY=http://u:s3cret@proxy:1"}, want: "HTTPS_PROXY has a user or a password"},
		{set: map[string]string{"env": "https_proxy=u:s3cret@proxy:1"}, want: "https_proxy has a user or a password"},
		{set: map[string]string{"env": "ALL_PROXY=socks5://u:s3/cret@proxy:1"}, want: "ALL_PROXY has a user or a password"},
		{set: map[string]string{"env": "ORIGIN=https://s3cret@h/x"}, want: "ORIGIN has a user or a password"},
		{set: map[string]string{"env": "HTTPS_PROXY=http://:s3cret"}, want: "HTTPS_PROXY cannot be read"},
		{set: map[string]string{"env": "FRIENDMIGRATE_SECRET_KEY=s3cret"}, want: "for everybody to read"},
		{set: map[string]string{"env": "db_passwd=s3cret"}, want: "for everybody to read"},
		{extra: "--s3-endpoint https://u:s3cret@h", want: "--s3-endpoint=https://... has a user or a password"},
		{set: map[string]string{"listen": "127.0.0.1:9090"}, want: "--listen"},
		{set: map[string]string{"listen": "9090"}, want: "--listen"},
		{set: map[string]string{"listen": ":0"}, want: "--listen"},
		{set: map[string]string{"linger": "1m"}, want: "--linger is for"},
		{set: map[string]string{"linger": "soon", "pod-monitor": "true"}, want: "--linger"},
		{set: map[string]string{"input": "/etc/passwd"}, want: "mounted at /data"},
		{set: map[string]string{"input": "../friends.csv"}, want: "mounted at /data"},
		{set: map[string]string{"input": "/database"}, want: "mounted at /data"},
		{set: map[string]string{"input": "s3://"}, want: "s3://bucket/prefix"},
		{set: map[string]string{"input": "s3://b/e.csv"}, want: "its bucket can't be one"},
		{set: map[string]string{"input": "s3://bucket/"}, extra: "--s3-endpoint http://minio:9000", want: "--allow-plain-http"},
		{set: map[string]string{"input": "s3://bucket/", "env": "AWS_ENDPOINT_URL_S3=http://minio:9000"}, want: "AWS_ENDPOINT_URL_S3 http://minio:9000 would send the input in plain text"},
		{set: map[string]string{"input": "s3://bucket/"}, extra: "--s3-endpoint https://-x", want: "--s3-endpoint"},
		{set: map[string]string{"state": "/tmp/state"}, want: "--state"},
		{set: map[string]string{"state": "s3://bucket/state"}, want: "--state"},
		{extra: "--only-accounts /etc/pilot.txt", want: `--only-accounts is "/etc/pilot.txt": a path in the volume is needed`},
		{set: map[string]string{"env": "PROXY"}, want: "NAME=VALUE"},
		{set: map[string]string{"env": "A-B=c"}, want: "NAME=VALUE"},
		{set: map[string]string{"env": "FRIENDMIGRATE_RATE=10"}, want: "set by the manifest itself"},
		{set: map[string]string{"identifier": "a\nb"}, want: "--identifier has unusual characters"},
		{set: map[string]string{"memory": "1MiB"}, want: "--memory"},
		{set: map[string]string{"timeout": "10"}, want: "--timeout"},
		{set: map[string]string{"region": "mars"}, want: "--region"},
		{set: map[string]string{"region": "-"}, want: "--region is missing"},
		{set: map[string]string{"endpoint": "https://chat.example.com"}, want: "both given"},
		{set: map[string]string{"FRIENDMIGRATE_SHARDS": "x"}, want: "FRIENDMIGRATE_SHARDS"},
		{extra: "friends.csv", want: "inputs are given by --input"},
		{extra: "--fresh", want: "each pod would start over"},
		{extra: "--shard 0/2", want: "--shards of manifest"},
		{extra: "--secret-key-file k", want: "the key is the Secret's"},
		{extra: "--rate 10", want: "belongs before --"},
		{extra: "--json", want: "--json is not a flag of import"},
		{extra: "--map", want: "--map needs a value"},
		{extra: "--map From_Account", want: "NAME=HEADER"},
		{extra: "--invalid-field burn", want: "--invalid-field"},
	} {
		v := good(c.set)
		_, err := Read(v, strings.Fields(c.extra), "1.0.0")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v %s: got %v, want %q", c.set, c.extra, err, c.want)
		}
	}
}

// What is in the YAML is read by everybody who may list Jobs.
func TestNoSecretGetsIntoAManifest(t *testing.T) {
	const key = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "FRIENDMIGRATE_SECRET_KEY", "DB_PASSWORD", "API_TOKEN"} {
		if _, err := Read(good(map[string]string{"env": name + "=" + key}), nil, "1.0.0"); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		set   map[string]string
		extra []string
	}{
		{nil, []string{"--secret-key", "s3cret" + key}}, {nil, []string{"--secret-key=" + key}}, {nil, []string{"--secret-key-file", key}}, {nil, []string{"--mutual", key}},
		{map[string]string{"secret": key}, nil}, {map[string]string{"FRIENDMIGRATE_SECRET": key}, nil}, {map[string]string{"pull-secret": strings.ToUpper(key)}, nil}, {map[string]string{"env": "A=" + key}, nil}, {map[string]string{"secret": " " + key}, nil}, {map[string]string{"env": "A= " + key}, nil},
	} {
		if _, err := Read(good(c.set), c.extra, "1.0.0"); !errors.Is(err, ErrKey) || strings.Contains(err.Error(), key) {
			t.Errorf("%v %v: %v", c.set, c.extra, err)
		}
	}
	o, err := Read(good(map[string]string{settings.KeyVariable: key, "FRIENDMIGRATE_SECRET_KEY_FILE": "secret.key"}), nil, "1.0.0")
	if text := strings.Join(o.Words, " "); err != nil || strings.Contains(text, key) || strings.Contains(text, "secret.key") {
		t.Errorf("%v %s", err, text)
	}
}

func TestAManifestTellsImportWhatItWasGiven(t *testing.T) {
	v := good(map[string]string{
		"FRIENDMIGRATE_RATE": "100", "FRIENDMIGRATE_REGION": "seoul", "region": "-", "endpoint": "https://chat.example.com:8443", "FRIENDMIGRATE_MAP": "Remark=note", "FRIENDMIGRATE_NAME": "mine",
		"backup-host": "false",
	})
	v.Flags["input"] = []string{"a.csv", "/data/b/../c.csv", "s3://bucket/x"}
	o, err := Read(v, []string{"--map", "From_Account=uid", "--mutual", "--strict=false", "--retry-failed", "--log-level=debug"}, "v0.0.0-2026+dirty")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--state=/data/friendmigrate-state", "--sdk-app-id=1400000000", "--backup-host=false", "--endpoint=https://chat.example.com:8443", "--rate=100", "--memory=256MiB",
		"--map=From_Account=uid", "--mutual=true", "--strict=false", "--retry-failed=true", "--log-level=debug",
	}
	if !slices.Equal(o.Words, want) {
		t.Errorf("got  %q\nwant %q", o.Words, want)
	}
	if !slices.Equal(o.Inputs, []string{"/data/a.csv", "/data/c.csv", "s3://bucket/x"}) {
		t.Errorf("inputs %q", o.Inputs)
	}
	if o.Name != "mine" || o.Secret != "mine" || o.Image != "friendmigrate:v0.0.0-2026-dirty" || !slices.Equal(o.Ports, []int{443, 8443}) {
		t.Errorf("%+v", o)
	}
}

// A policy that lets no call out to the proxy or the store would leave the pods waiting.
func TestThePortsOfProxyAndStoreAreOpen(t *testing.T) {
	for env, want := range map[string][]int{
		"":                                 {443},
		"A=b:c:9":                          {443},
		"HTTPS_PROXY=http://proxy:3128":    {443, 3128},
		"https_proxy=proxy:3128":           {443, 3128},
		"HTTP_PROXY=proxy":                 {80, 443},
		"HTTPS_PROXY=https://proxy":        {443},
		"HTTPS_PROXY=socks5://proxy":       {443, 1080},
		"NO_PROXY=a:9":                     {443},
		"AWS_ENDPOINT_URL_S3=https://s:99": {99, 443},
		"X=http://x:99999":                 {80, 443},
	} {
		v := good(map[string]string{"input": "s3://bucket/"})
		if env != "" {
			v.Flags["env"] = []string{env}
		}
		if o, err := Read(v, nil, "1.0.0"); err != nil || !slices.Equal(o.Ports, want) {
			t.Errorf("%q: %v %v", env, o.Ports, err)
		}
	}
	v := good(map[string]string{"input": "s3://bucket/", "endpoint": "http://chat", "region": "-", "env": "HTTPS_PROXY=http://proxy:3128"})
	o, err := Read(v, []string{"--allow-plain-http", "--s3-endpoint=https://store:9000"}, "1.0.0")
	if err != nil || !slices.Equal(o.Ports, []int{80, 443, 3128, 9000}) {
		t.Errorf("%v %v", o.Ports, err)
	}
	if text, err := Render(o); err != nil || !strings.Contains(string(text), "          port: 3128\n        - protocol: TCP\n          port: 9000\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestEveryFlagOfManifestHasItsVariable(t *testing.T) {
	values := map[string]string{
		"name": "mine", "namespace": "chat", "image": "registry.example.com/f:2", "pull-secret": "p", "secret": "s", "shards": "3", "claim-per-shard": "true", "cron": "@daily", "time-zone": "Asia/Tokyo",
		"env": "A=b", "storage-class": "fast", "storage-size": "1Ti", "listen": ":8080", "linger": "1m", "pod-monitor": "true", "input": "x.csv", "state": "there", "sdk-app-id": "1400000001",
		"identifier": "root", "region": "seoul", "backup-host": "true", "endpoint": "https://chat.example.com", "rate": "150", "timeout": "20s", "memory": "512MiB", "max-duration": "4h",
	}
	for _, f := range new(Options).Flags() {
		v := good(map[string]string{"max-duration": "1h"})
		switch f.Name {
		case "claim-per-shard":
			v.Flags["shards"] = []string{"2"}
		case "time-zone":
			v.Flags["cron"] = []string{"@hourly"}
		case "linger":
			v.Flags["pod-monitor"] = []string{"true"}
		case "endpoint":
			delete(v.Flags, "region")
		}
		delete(v.Flags, f.Name)
		if f.Name != "region" && f.Name != "endpoint" && f.Name != "sdk-app-id" {
			before, err := Read(v, nil, "1")
			if err != nil {
				t.Fatalf("--%s: %v", f.Name, err)
			}
			v.Env[settings.Variable(f.Name)] = values[f.Name]
			if after, err := Read(v, nil, "1"); err != nil || reflect.DeepEqual(before, after) {
				t.Errorf("%s=%s changes nothing (%v)", settings.Variable(f.Name), values[f.Name], err)
			}
		}
		v.Env[settings.Variable(f.Name)] = values[f.Name]
		byVariable, err := Read(v, nil, "1")
		delete(v.Env, settings.Variable(f.Name))
		v.Flags[f.Name] = []string{values[f.Name]}
		byFlag, err2 := Read(v, nil, "1")
		if err != nil || err2 != nil || !reflect.DeepEqual(byVariable, byFlag) {
			t.Errorf("--%s: %+v (%v)\nnot as by variable: %+v (%v)", f.Name, byFlag, err2, byVariable, err)
		}
	}
}

func TestAnImageMayHaveAPortATagAndADigest(t *testing.T) {
	for _, image := range []string{"f", "f:1", "Reg.example.com:5000/a_b/c--d/e__f:1.0.0_Beta", "localhost/f", "reg/f@sha256:" + strings.Repeat("0f", 32), "reg:80/f:1@sha256:" + strings.Repeat("0f", 32)} {
		if o, err := Read(good(map[string]string{"image": image}), nil, "1"); err != nil || o.Image != image {
			t.Errorf("%s: %v", image, err)
		}
	}
}

func TestAnInputIsNamedOnce(t *testing.T) {
	v := good(nil)
	v.Flags["input"] = []string{"a.csv", "b.csv", "/data/./a.csv"}
	if _, err := Read(v, nil, "1.0.0"); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Error(err)
	}
}

// What may be a folder, or has its format from elsewhere, is accepted: nobody can look here.
func TestAnInputWithoutAFormatMayBeAFolder(t *testing.T) {
	for _, input := range []string{"edges", "v1.2/", ".", "..data/x", "in/.hidden", "s3://my.bucket", "s3://my.bucket/", "s3://bucket/2026.11/", "e.NDJSON.zst", "e.csv.gz"} {
		if _, err := Read(good(map[string]string{"input": input}), nil, "1.0.0"); err != nil {
			t.Errorf("%s: %v", input, err)
		}
	}
	if _, err := Read(good(map[string]string{"input": "edges.txt"}), []string{"--format", "csv"}, "1.0.0"); err != nil {
		t.Error(err)
	}
	for _, zone := range []string{"UTC", "Etc/GMT+8", "America/Port-au-Prince", "America/Argentina/Buenos_Aires", "Asia/Ho_Chi_Minh"} {
		if _, err := Read(good(map[string]string{"time-zone": zone, "cron": "@daily", "max-duration": "1h"}), nil, "1.0.0"); err != nil {
			t.Errorf("%s: %v", zone, err)
		}
	}
}
