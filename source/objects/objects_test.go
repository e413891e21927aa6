package objects_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"friendmigrate/source/objects"
)

const secret = "a-secret-access-key-0123456789"

var keys = map[string]string{"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "a-session-token"}

func open(t *testing.T, endpoint string, env map[string]string) *objects.Store {
	t.Helper()
	s, err := objects.New(objects.Config{Endpoint: endpoint, Env: env, Patience: 5 * time.Second, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noise(n int) string {
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return string(data)
}

// kind holds an error against the kind that is expected, and against telling secrets.
func kind(t *testing.T, err error, want objects.Kind, says string) {
	t.Helper()
	var e *objects.Error
	switch {
	case !errors.As(err, &e) || e.Kind != want:
		t.Errorf("got %v, want one of kind %d", err, want)
	case !strings.Contains(err.Error(), says):
		t.Errorf("got %q, which does not say %q", err, says)
	case strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), keys["AWS_SESSION_TOKEN"]) || strings.Contains(err.Error(), "http://127") || strings.ContainsAny(err.Error(), "\n\x1b"):
		t.Errorf("tells what it should not: %q", err)
	}
}

func TestAResetMidBodyIsReadOnWithRangeAndIfMatch(t *testing.T) {
	t.Parallel()
	data := noise(3 << 20)
	store := startFake(t)
	store.Put("k.csv", data, "")
	store.Fail(cutAfter(1<<20), reset, answer(503, "SlowDown"), cutAfter(512<<10), cutAfter(1))
	r, err := open(t, store.URL, keys).Open(t.Context(), "bucket", "k.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != data {
		t.Fatalf("got %d bytes of %d, the same %v: %v", len(got), len(data), string(got) == data, err)
	}
	if err := r.Unchanged(); err != nil {
		t.Error(err)
	}
	requests := store.Requests()
	for i, q := range requests {
		if i > 0 && q.Method == http.MethodGet && (q.Range == "" || strings.Trim(q.IfMatch, `"`) != r.Object().ETag) {
			t.Errorf("request %d: Range %q, If-Match %q", i, q.Range, q.IfMatch)
		}
	}
	if len(requests) != 7 {
		t.Errorf("%d requests, want the 5 that failed, the one that did not, and the look at the end", len(requests))
	}
}

func TestAnObjectThatChangesIsNoticed(t *testing.T) {
	t.Parallel()
	data := noise(1 << 20)
	for _, c := range []struct {
		name   string
		change func(s *fakeStore)
	}{
		{"replaced between two requests", func(s *fakeStore) { s.Put("k.csv", noise(1 << 20)[1:]+"x", "") }},
		{"deleted", func(s *fakeStore) { s.Delete("k.csv") }},
		{"another size at a store that ignores If-Match", func(s *fakeStore) {
			s.Fail(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				w.Header().Set("Content-Range", "bytes 1000-2000/2001")
				w.WriteHeader(http.StatusPartialContent)
				return true
			})
		}},
		{"a store that ignores Range", func(s *fakeStore) {
			s.Fail(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				w.Header().Set("Content-Length", "3")
				_, _ = io.WriteString(w, "abc")
				return true
			})
		}},
	} {
		store := startFake(t)
		store.Put("k.csv", data, "")
		store.Fail(cutAfter(1000))
		r, err := open(t, store.URL, keys).Open(t.Context(), "bucket", "k.csv")
		if err != nil {
			t.Fatal(err)
		}
		c.change(store)
		got, err := io.ReadAll(r)
		if !bytes.HasPrefix([]byte(data), got) || len(got) != 1000 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
		r.Close()
	}

	store := startFake(t)
	store.Put("k.csv", "rows", "")
	r, err := open(t, store.URL, keys).Open(t.Context(), "bucket", "k.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	store.Put("k.csv", "ROWS", "")
	if got, err := io.ReadAll(r); string(got) != "rows" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	kind(t, r.Unchanged(), objects.Changed, "changed while")
}

// Every answer has its meaning, whatever asks: a HEAD, which has no body, a GET or a listing.
func TestAnswersAndWhatTheyMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, more string
		kind       objects.Kind
		says       string
	}{
		{403, "AccessDenied", "", objects.Refused, "access denied"},
		{403, "InvalidAccessKeyId", "", objects.Refused, "InvalidAccessKeyId"},
		{403, "SignatureDoesNotMatch", "<StringToSign>" + secret + "</StringToSign>", objects.Refused, "secret access key is wrong"},
		{403, "RequestTimeTooSkewed", "", objects.Refused, "RequestTimeTooSkewed"},
		{400, "ExpiredToken", "", objects.Refused, "ExpiredToken"},
		{400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>", objects.Refused, "use --s3-region eu-west-1"},
		{301, "PermanentRedirect", "", objects.Refused, "--s3-region"},
		{403, "InvalidObjectState", "", objects.Refused, "InvalidObjectState"},
		{400, "Strange\x1b[2J" + secret, "", objects.Refused, "***"},
		{404, "NoSuchBucket", "", objects.Missing, "there is no such"},
		{503, "SlowDown", "", objects.Unreachable, "SlowDown"},
		{500, "InternalError", "", objects.Unreachable, "InternalError"},
		{502, "", "", objects.Unreachable, "502"},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.code), func(t *testing.T) {
			t.Parallel()
			store := startFake(t)
			fault := answer(c.status, c.code, c.more)
			for range 40 {
				store.Fail(fault)
			}
			s := open(t, store.URL, keys)
			_, err := s.Stat(t.Context(), "bucket", "k.csv")
			if c.code == "NoSuchBucket" {
				kind(t, err, c.kind, c.says)
			} else if c.status < 500 && c.code[0] != 'S' || c.status == 403 {
				kind(t, err, c.kind, c.says)
			}
			if c.status >= 500 && c.code != "SlowDown" {
				return // three patiences would only take longer
			}
			_, err = s.Open(t.Context(), "bucket", "k.csv")
			kind(t, err, c.kind, c.says)
			_, err = s.List(t.Context(), "bucket", "p/")
			kind(t, err, c.kind, c.says)
		})
	}
}

func TestMissingIsAFileThatDoesNotExist(t *testing.T) {
	store := startFake(t)
	s := open(t, store.URL, keys)
	_, err := s.Stat(t.Context(), "bucket", "nope.csv")
	kind(t, err, objects.Missing, "no such object")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is no fs.ErrNotExist")
	}
	_, err = s.List(t.Context(), "nobucket", "")
	kind(t, err, objects.Missing, "no such bucket")
}

// A staged job goes on when its store refuses, so a profile must not keep it from getting there.
func TestAProfileWithoutCredentialsIsRefusedAtTheFirstRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := startFake(t)
	s := open(t, store.URL, map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_PROFILE": "nope"})
	_, err := s.Stat(t.Context(), "bucket", "k.csv")
	kind(t, err, objects.Refused, `has no profile "nope"`)
	_, err = s.List(t.Context(), "bucket", "p/")
	kind(t, err, objects.Refused, `has no profile "nope"`)
}

func TestWithoutCredentialsRequestsAreAnonymousAndSayIt(t *testing.T) {
	store := startFake(t)
	store.Put("k.csv", "rows", "")
	s := open(t, store.URL, nil)
	if _, err := s.Stat(t.Context(), "bucket", "k.csv"); err != nil {
		t.Error(err)
	}
	if q := store.Requests()[0]; q.Authorization != "" {
		t.Errorf("signed: %q", q.Authorization)
	}
	store.Fail(answer(403, "AccessDenied"), answer(403, "AccessDenied"))
	_, err := s.Stat(t.Context(), "bucket", "k.csv")
	kind(t, err, objects.Refused, "AWS_ACCESS_KEY_ID")
}

func TestAListingIsWholeAndOnlyOfWhatLiesRightBelow(t *testing.T) {
	for _, v1 := range []bool{false, true} {
		store := startFake(t)
		store.Pages(3, v1)
		for i := range 10 {
			store.Put(fmt.Sprintf("p/%02d.csv", i), "rows", "")
			store.Put(fmt.Sprintf("p/%02d/below.csv", i), "rows", "")
		}
		store.Put("p/", "", "") // a folder's mark
		store.Put("q.csv", "", "")
		list, err := open(t, store.URL, keys).List(t.Context(), "bucket", "p/")
		if err != nil {
			t.Fatalf("first form only %v: %v", v1, err)
		}
		var names []string
		for _, o := range list {
			names = append(names, o.Name())
		}
		if len(list) != 20 || names[0] != "s3://bucket/p/00.csv" || names[1] != "s3://bucket/p/00/" || names[19] != "s3://bucket/p/09/" {
			t.Errorf("first form only %v: %q", v1, names)
		}
	}
}

func TestAStoreThatNeverAnsweredIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	var warnings []string
	s, err := objects.New(objects.Config{Endpoint: "http://" + l.Addr().String(), Env: keys, Patience: time.Hour, Pause: time.Millisecond, Warn: func(m string) { warnings = append(warnings, m) }})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = s.Stat(t.Context(), "bucket", "k.csv")
	kind(t, err, objects.Unreachable, "5 times")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(warnings) != 1 || strings.Contains(warnings[0], secret) {
		t.Errorf("warnings: %q", warnings)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	store := startFake(t)
	store.Put("k.csv", noise(1000), "")
	s := open(t, store.URL, keys)
	ctx, cancel := context.WithCancelCause(t.Context())
	store.Fail(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		cancel(errors.New("a signal"))
		<-r.Context().Done()
		return true
	})
	if _, err := s.Open(ctx, "bucket", "k.csv"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestACertificateThatIsNotTrustedIsForTheUserToMend(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	s := open(t, server.URL, keys)
	_, err := s.Stat(t.Context(), "bucket", "k.csv")
	kind(t, err, objects.Refused, "certificate is not trusted")

	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []objects.Config{{Endpoint: server.URL, CAFile: file}, {Endpoint: server.URL, Env: map[string]string{"AWS_CA_BUNDLE": file}, CAFile: "nope"}} {
		s, err := objects.New(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Stat(t.Context(), "bucket", "k.csv")
		kind(t, err, objects.Missing, "no such object")
	}
	_, err = open(t, strings.Replace(server.URL, "https", "http", 1), keys).Stat(t.Context(), "bucket", "k.csv")
	if err == nil {
		t.Error("http to a port of https went well")
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		config objects.Config
		says   string
	}{
		{objects.Config{Endpoint: "http://cos.ap-guangzhou.myqcloud.com"}, "--allow-plain-http"},
		{objects.Config{Endpoint: "https://user:" + secret + "@host"}, "no user"},
		{objects.Config{Endpoint: "https://host/path"}, "no user, path"},
		{objects.Config{Endpoint: "nohost"}, "has to be the URL"},
		{objects.Config{Env: map[string]string{"AWS_ENDPOINT_URL_S3": "://" + secret}}, "AWS_ENDPOINT_URL_S3"},
		{objects.Config{Env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIA"}}, "belong together"},
		{objects.Config{Env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": secret + "\n"}}, "white space"},
		{objects.Config{CAFile: "nope.pem"}, "--ca-file"},
	} {
		_, err := objects.New(c.config)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: got %v, want something about %q", c.config.Endpoint, err, c.says)
		}
	}
	if _, err := objects.New(objects.Config{Endpoint: "http://cos.example.org", PlainHTTP: true}); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"s3://bucket/a/b.csv":        "bucket a/b.csv",
		"s3://bucket/a b?c#d.csv":    "bucket a b?c#d.csv",
		"s3://bucket/p/":             "bucket p/",
		"s3://bucket":                "bucket ",
		"s3://bucket-1250000000/k":   "bucket-1250000000 k",
		"s3:///k":                    "refused",
		"s3://AKIA:secret@bucket/k":  "refused",
		"s3://b/k":                   "refused", // a bucket has three characters at least
		"s3://bucket?versionId=1/k":  "refused",
		"s3://bu_cket..x/k":          "refused",
		"s3://192.168.1.1/something": "refused",
	} {
		bucket, key, err := objects.ParseName(name)
		got := bucket + " " + key
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("repeats what it should not: %v", err)
		}
	}
}
