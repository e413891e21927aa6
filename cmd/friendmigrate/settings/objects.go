package settings

import (
	"time"

	"friendmigrate/source/objects"
)

const groupObjects = "object storage (s3://)"

// objectFlags describes the flags that say where s3:// is. Credentials have none: they come from the environment, as AWS' own tools take them.
func objectFlags() []Flag {
	g := groupObjects
	return []Flag{
		{Name: "s3-endpoint", Value: "URL", Default: "AWS_ENDPOINT_URL_S3, or AWS", Usage: "of the store: https://cos.ap-guangzhou.myqcloud.com is Tencent COS", Group: g},
		{Name: "s3-region", Value: "NAME", Default: "AWS_REGION, or by endpoint", Usage: "of the bucket", Group: g},
		{Name: "s3-addressing", Value: "HOW", Default: "auto", Usage: "virtual (https://bucket.host/key), path (https://host/bucket/key) or auto: virtual for AWS and COS", Group: g},
	}
}

// objects is where s3:// is, but for what the environment says: it has secrets in it, and is given when an INPUT is there.
func (r *reader) objects() objects.Config {
	return objects.Config{
		Endpoint: r.text("s3-endpoint", ""), Region: r.text("s3-region", ""), Addressing: r.choice("s3-addressing", objects.Auto, objects.Path, objects.Virtual),
		PlainHTTP: r.turnedOn("allow-plain-http"), CAFile: r.text("ca-file", ""),
		Patience: r.duration("outage-timeout", 15*time.Minute, time.Second, 365*24*time.Hour),
	}
}
