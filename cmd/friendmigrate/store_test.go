package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"friendmigrate/sink/simulator"
	"friendmigrate/source"
)

const (
	gateway      = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
	gatewayNamed = "FRIENDMIGRATE_TEST_VERSITYGW" // its binary; else it is looked for on PATH
	storeID      = "AKIAEXAMPLE"
	storeSecret  = "bdc3f4b95d0e4be09d2a7c7a51f0c0de"
)

// store is a real S3 server with one bucket, "graph".
type store struct {
	*minio.Client
	t   *testing.T
	url string
}

// startStore starts a server for one test. A machine without its binary skips the test, but not CI,
// which is to have built it.
func startStore(t *testing.T) *store {
	t.Helper()
	binary := os.Getenv(gatewayNamed)
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("versitygw"); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no S3 server to test against: CI has to run: go install %s", gateway)
			}
			t.Skipf("no S3 server to test against: go install %s, and put it on PATH or name it by %s", gateway, gatewayNamed)
		}
	}
	dir := t.TempDir()
	for _, folder := range []string{"objects", "about"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	var log bytes.Buffer
	server := exec.Command(binary, "--access", storeID, "--secret", storeSecret, "--port", address, "--quiet", "posix", "--sidecar", filepath.Join(dir, "about"), filepath.Join(dir, "objects"))
	server.Stdout, server.Stderr, server.Dir = &log, &log, dir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the S3 server said:\n%s", &log)
		}
	})
	client, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(storeID, storeSecret, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{Client: client, t: t, url: "http://" + address}
	s.await()
	return s
}

var hosts atomic.Uint32

// freeAddress is a port of this machine on which nobody listens: the server can't be given a
// listener. Each has a loopback address of its own, because tests side by side may find one port
// free at once.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", hosts.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).String()
}

// await waits until the server answers and has its bucket.
func (s *store) await() {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(s.url)
		if err == nil {
			answer.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
	}
	if err := s.MakeBucket(context.Background(), "graph", minio.MakeBucketOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// put stores an object, in parts where it is larger than one part has to be. Only the ETags of
// whole ones are digests of the content.
func (s *store) put(key string, data []byte, parts bool) {
	s.t.Helper()
	o := minio.PutObjectOptions{DisableMultipart: !parts, PartSize: 5 << 20}
	size := int64(len(data))
	if parts {
		size = -1
	}
	if _, err := s.PutObject(s.t.Context(), "graph", key, bytes.NewReader(data), size, o); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) remove(key string) {
	s.t.Helper()
	if err := s.RemoveObject(s.t.Context(), "graph", key, minio.RemoveObjectOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// settings adds to those of an app what it takes to read from the store, as users of AWS' tools
// have it.
func (s *store) settings(env map[string]string) map[string]string {
	env = maps.Clone(env)
	maps.Copy(env, map[string]string{"AWS_ENDPOINT_URL_S3": s.url, "AWS_ACCESS_KEY_ID": storeID, "AWS_SECRET_ACCESS_KEY": storeSecret})
	return env
}

// pack compresses as a name says.
func pack(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := source.NewPacker(&b, name)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.EndMember()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imported is what an import leaves: the graph's digest, the edges in it and the calls that it
// took.
func imported(t *testing.T, env map[string]string, state string, inputs ...string) string {
	t.Helper()
	app, url := serveApp(t, simulator.Config{})
	env = maps.Clone(env)
	env["FRIENDMIGRATE_ENDPOINT"], env["FRIENDMIGRATE_TIMEOUT"] = url, "2m" // a busy machine must not make a call two
	call(t, 0, env, append([]string{"import", "--state", state}, inputs...)...)
	s := app.Stats()
	return fmt.Sprintf("%s, %d edges, %d calls", s.Digest, s.GraphEdges, s.Calls)
}
