package objects_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeStore is an S3 store for the faults that a real one does not have on demand. It answers as
// AWS does, or as the test wants, and checks no signature. It has one bucket, "bucket". Requests
// name it in their path.
type fakeStore struct {
	URL string

	mu       sync.Mutex // guards what follows
	objects  map[string]object
	faults   []fault
	requests []request
	pageSize int
	v1Only   bool
}

type object struct {
	data     []byte
	etag     string
	modified time.Time
}

// request is one that the store was asked.
type request struct {
	Method, Key   string // Key "": a listing
	Range         string
	IfMatch       string
	Authorization string
	Query         string
}

// fault answers a request in the store's place and reports whether it did. data is the object's;
// nil if there is none.
type fault func(w http.ResponseWriter, r *http.Request, data []byte) bool

// startFake serves an empty store until the test ends.
func startFake(t testing.TB) *fakeStore {
	s := &fakeStore{objects: map[string]object{}, pageSize: 1000}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Put stores an object; a second one with the same content has a later time, and another ETag where
// salt differs, as with uploads in parts.
func (s *fakeStore) Put(key, data, salt string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := md5.Sum([]byte(data))
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(len(s.requests)) * time.Second)
	s.objects[key] = object{[]byte(data), hex.EncodeToString(sum[:]) + salt, modified}
}

// Delete removes an object.
func (s *fakeStore) Delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}

// Fail lets the next requests be answered by faults, one each; nil answers as usual.
func (s *fakeStore) Fail(faults ...fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Heal forgets the faults that have not come yet.
func (s *fakeStore) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Pages makes listings come in pages, and with v1 only in the first form that S3 had.
func (s *fakeStore) Pages(size int, v1 bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageSize, s.v1Only = size, v1
}

// Requests are those so far.
func (s *fakeStore) Requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *fakeStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	s.requests = append(s.requests, request{r.Method, key, r.Header.Get("Range"), r.Header.Get("If-Match"),
		r.Header.Get("Authorization"), r.URL.RawQuery})
	var f fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	o, there := s.objects[key]
	s.mu.Unlock()
	switch {
	case f != nil && f(w, r, o.data):
	case bucket != "bucket":
		answer(http.StatusNotFound, "NoSuchBucket")(w, r, nil)
	case key == "":
		s.list(w, r)
	case !there:
		answer(http.StatusNotFound, "NoSuchKey")(w, r, nil)
	default:
		o.serve(w, r)
	}
}

func (o *object) serve(w http.ResponseWriter, r *http.Request) {
	if match := r.Header.Get("If-Match"); match != "" && strings.Trim(match, `"`) != o.etag {
		answer(http.StatusPreconditionFailed, "PreconditionFailed")(w, r, nil)
		return
	}
	from, status := 0, http.StatusOK
	if text := r.Header.Get("Range"); text != "" {
		from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(text, "bytes="), "-"))
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", from, len(o.data)-1)) // RFC 9110 allows it
	}
	w.Header().Set("ETag", `"`+o.etag+`"`)
	w.Header().Set("Last-Modified", o.modified.Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(o.data)-from))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(o.data[from:])
	}
}

// answer answers with an error of S3. A HEAD has no body.
func answer(status int, code string, more ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead && code != "" {
			fmt.Fprintf(w,
				"<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>said by the store</Message>%s</Error>", code,
				strings.Join(more, ""))
		}
		return true
	}
}

// cutAfter sends so many bytes of what was asked for and resets the connection; as many as there
// are, cleanly, is a lie about the length.
func cutAfter(n int) fault {
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		from, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
		o := object{data: data[:from+n]}
		sum := md5.Sum(data)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("Last-Modified", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(http.TimeFormat))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(o.data[from:])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// reset closes the connection without an answer.
func reset(http.ResponseWriter, *http.Request, []byte) bool { panic(http.ErrAbortHandler) }

type entry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	NextMarker            string `xml:",omitempty"`
	Contents              []entry
	CommonPrefixes        []struct{ Prefix string }
}

// list answers a listing with the delimiter /, keys in order. The token of a page is the last key
// before it.
func (s *fakeStore) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	prefix, after := q.Get("prefix"), q.Get("continuation-token")
	v2 := q.Get("list-type") == "2" && !s.v1Only
	if !v2 {
		after = q.Get("marker")
	}
	result := listing{Name: "bucket"}
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= after {
			continue
		}
		if len(result.Contents) == s.pageSize {
			result.IsTruncated = true
			break
		}
		if folder, _, below := strings.Cut(rest, "/"); below && rest != "" {
			if !seen[folder] {
				seen[folder] = true
				result.CommonPrefixes = append(result.CommonPrefixes, struct{ Prefix string }{prefix + folder + "/"})
			}
			continue
		}
		o := s.objects[key]
		result.Contents = append(result.Contents, entry{key, o.modified.Format("2006-01-02T15:04:05.000Z"),
			`"` + o.etag + `"`, len(o.data)})
	}
	if n := len(result.Contents); result.IsTruncated && v2 {
		result.NextContinuationToken = result.Contents[n-1].Key
	} else if result.IsTruncated {
		result.NextMarker = result.Contents[n-1].Key
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(result)
}
