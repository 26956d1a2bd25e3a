package awsfake

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3Client is S3 as one caller sees it. S3 is strongly consistent: Fault.Stale
// does not concern it.
type S3Client struct {
	c      *Cloud
	caller string
}

// S3 returns the S3 API for a caller, whose name Options.Fault sees.
func (c *Cloud) S3(caller string) *S3Client { return &S3Client{c, caller} }

func (s *S3Client) call(action string) Call {
	return Call{Caller: s.caller, Service: "s3", Action: action}
}

// Object returns the content of an object, which is not to be changed; nil if there is none.
func (c *Cloud) Object(bucket, key string) []byte { return c.buckets[bucket][key].body }

// object is a stored object; it is replaced, never changed.
type object struct {
	body     []byte
	etag     string // quoted, as in the header
	modified time.Time
}

// bucket returns the objects of a bucket.
func (r *request) bucket(name *string) (map[string]object, error) {
	if b, ok := r.buckets[aws.ToString(name)]; ok {
		return b, nil
	}
	return nil, &types.NoSuchBucket{Message: aws.String("The specified bucket does not exist")}
}

// precondition checks If-Match and If-None-Match of a write or delete
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html).
func precondition(old object, exists bool, match, noneMatch *string) error {
	switch {
	case match != nil && !exists:
		return &types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	case match != nil && *match != "*" && strings.Trim(*match, `"`) != strings.Trim(old.etag, `"`), noneMatch != nil && exists:
		return Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case noneMatch != nil && *noneMatch != "*":
		return Error("NotImplemented", "A header you provided implies functionality that is not implemented")
	}
	return nil
}

// CreateBucket creates a bucket in the cloud's region, which the request must
// name unless it is us-east-1.
func (s *S3Client) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, _ ...func(*s3.Options)) (*s3.CreateBucketOutput, error) {
	return serve(ctx, s.c, s.call("CreateBucket"), in, func(r *request, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
		name := aws.ToString(in.Bucket)
		if _, ok := r.buckets[name]; ok {
			return nil, &types.BucketAlreadyOwnedByYou{Message: aws.String("Your previous request to create the named bucket succeeded and you already own it.")}
		}
		var region string
		if in.CreateBucketConfiguration != nil {
			region = string(in.CreateBucketConfiguration.LocationConstraint)
		}
		switch {
		case region == "" && r.opt.Region != "us-east-1":
			return nil, Error("IllegalLocationConstraintException", "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
		case region != "" && region != r.opt.Region:
			return nil, Error("IllegalLocationConstraintException", "The "+region+" location constraint is incompatible for the region specific endpoint this request was sent to.")
		}
		r.buckets[name] = map[string]object{}
		return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, nil
	})
}

// PutObject stores an object. With IfNoneMatch "*" it fails if the key exists,
// with IfMatch unless the key has that ETag.
func (s *S3Client) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return serve(ctx, s.c, s.call("PutObject"), in, func(r *request, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
		objects, err := r.bucket(in.Bucket)
		if err != nil {
			return nil, err
		}
		old, exists := objects[aws.ToString(in.Key)]
		if err := precondition(old, exists, in.IfMatch, in.IfNoneMatch); err != nil {
			return nil, err
		}
		var body []byte
		if in.Body != nil {
			if again, ok := in.Body.(io.Seeker); ok { // it may be the second time that the request arrives
				_, _ = again.Seek(0, io.SeekStart)
			}
			if body, err = io.ReadAll(in.Body); err != nil {
				return nil, err
			}
		}
		sum := md5.Sum(body) // what S3's ETag is, no secret
		o := object{body, `"` + hex.EncodeToString(sum[:]) + `"`, r.opt.Now().UTC().Truncate(time.Second)}
		objects[aws.ToString(in.Key)] = o
		return &s3.PutObjectOutput{ETag: aws.String(o.etag)}, nil
	})
}

// GetObject returns an object; *types.NoSuchKey if there is none.
func (s *S3Client) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return serve(ctx, s.c, s.call("GetObject"), in, func(r *request, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		objects, err := r.bucket(in.Bucket)
		if err != nil {
			return nil, err
		}
		o, ok := objects[aws.ToString(in.Key)]
		if !ok {
			return nil, &types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
		}
		return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(o.body)), ETag: aws.String(o.etag),
			LastModified: aws.Time(o.modified), ContentLength: aws.Int64(int64(len(o.body)))}, nil
	})
}

// HeadObject describes an object; *types.NotFound if there is none, or no bucket.
func (s *S3Client) HeadObject(ctx context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return serve(ctx, s.c, s.call("HeadObject"), in, func(r *request, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
		o, ok := r.buckets[aws.ToString(in.Bucket)][aws.ToString(in.Key)]
		if !ok {
			return nil, &types.NotFound{Message: aws.String("Not Found")}
		}
		return &s3.HeadObjectOutput{ETag: aws.String(o.etag), LastModified: aws.Time(o.modified), ContentLength: aws.Int64(int64(len(o.body)))}, nil
	})
}

// DeleteObject removes an object; that there is none is no error.
func (s *S3Client) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	return serve(ctx, s.c, s.call("DeleteObject"), in, func(r *request, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
		objects, err := r.bucket(in.Bucket)
		if err != nil {
			return nil, err
		}
		old, exists := objects[aws.ToString(in.Key)]
		if err := precondition(old, exists, in.IfMatch, nil); err != nil {
			return nil, err
		}
		delete(objects, aws.ToString(in.Key))
		return &s3.DeleteObjectOutput{}, nil
	})
}

// ListObjectsV2 lists the keys with a prefix in ASCII order.
func (s *S3Client) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return serve(ctx, s.c, s.call("ListObjectsV2"), in, func(r *request, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
		objects, err := r.bucket(in.Bucket)
		if err != nil {
			return nil, err
		}
		last := max(aws.ToString(in.StartAfter), aws.ToString(in.ContinuationToken))
		var keys []string
		for key := range objects {
			if key > last && strings.HasPrefix(key, aws.ToString(in.Prefix)) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		size := r.pageSize(in.MaxKeys, 1000)
		out := &s3.ListObjectsV2Output{Name: in.Bucket, Prefix: in.Prefix, MaxKeys: aws.Int32(int32(size)), IsTruncated: aws.Bool(len(keys) > size)}
		if len(keys) > size {
			keys = keys[:size]
			out.NextContinuationToken = aws.String(keys[size-1])
		}
		for _, key := range keys {
			o := objects[key]
			out.Contents = append(out.Contents, types.Object{Key: aws.String(key), ETag: aws.String(o.etag), LastModified: aws.Time(o.modified), Size: aws.Int64(int64(len(o.body)))})
		}
		out.KeyCount = aws.Int32(int32(len(keys)))
		return out, nil
	})
}
