package objects

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// stallingStore serves ten bytes, of which the first answer has but five, and then nothing.
func stallingStore(t *testing.T) *Store {
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Last-Modified", time.Unix(0, 0).UTC().Format(http.TimeFormat))
		if r.Header.Get("Range") == "bytes=5-" {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.Header().Set("Content-Length", "5")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "56789")
			return
		}
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "01234")
		_ = http.NewResponseController(w).Flush()
		<-end
	}))
	t.Cleanup(func() { close(end); server.Close() })
	s, err := New(Config{Endpoint: server.URL, Patience: time.Minute, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.stall = 50 * time.Millisecond
	return s
}

func TestWhereAStoreIsAndHowItIsAddressed(t *testing.T) {
	for _, c := range []struct {
		config       Config
		host, region string
		virtual      bool
	}{
		{Config{}, "s3.amazonaws.com", "", false},
		{Config{Env: map[string]string{"AWS_DEFAULT_REGION": "eu-west-1"}}, "s3.amazonaws.com", "eu-west-1", false},
		{Config{Region: "eu-west-2", Env: map[string]string{"AWS_REGION": "eu-west-1"}}, "s3.amazonaws.com", "eu-west-2", false},
		{Config{Endpoint: "https://cos.ap-guangzhou.myqcloud.com", Env: map[string]string{"AWS_REGION": "eu-west-1"}}, "cos.ap-guangzhou.myqcloud.com", "ap-guangzhou", true},
		{Config{Endpoint: "https://cos-internal.ap-singapore.tencentcos.cn"}, "cos-internal.ap-singapore.tencentcos.cn", "ap-singapore", true},
		{Config{Endpoint: "https://cos.ap-guangzhou.myqcloud.com", Addressing: Path}, "cos.ap-guangzhou.myqcloud.com", "ap-guangzhou", false},
		{Config{Env: map[string]string{"AWS_ENDPOINT_URL": "https://a.example.com", "AWS_ENDPOINT_URL_S3": "https://b.example.com:9000"}}, "b.example.com:9000", "us-east-1", false},
		{Config{Endpoint: "https://c.example.com", Addressing: Virtual}, "c.example.com", "us-east-1", true},
	} {
		u, err := c.config.endpoint()
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != c.host || c.config.region(u) != c.region || (c.config.lookup(u.Hostname()) == 1) != c.virtual {
			t.Errorf("%+v: host %s, region %q, lookup %d", c.config, u.Host, c.config.region(u), c.config.lookup(u.Hostname()))
		}
	}
}
