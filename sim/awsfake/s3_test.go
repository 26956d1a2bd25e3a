package awsfake_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func TestConditionalObjects(t *testing.T) {
	w := newWorld(t, 1, nil)
	c := w.S3("test")
	put := func(body string, match, noneMatch *string) (string, error) {
		out, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader(body), IfMatch: match, IfNoneMatch: noneMatch})
		if err != nil {
			return "", err
		}
		return *out.ETag, nil
	}
	once := aws.String("*")
	_, err := put("1", nil, once)
	expect(t, "no bucket", code(err), "NoSuchBucket")
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("b"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	must(t, err)
	_, err = put("1", aws.String(`"x"`), nil)
	expect(t, "if it matches, absent", code(err), "NoSuchKey")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	expect(t, "get absent", errors.As(err, new(*types.NoSuchKey)), true)
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	expect(t, "head absent", errors.As(err, new(*types.NotFound)), true)

	first, err := put("1", nil, once)
	must(t, err)
	_, err = put("2", nil, once)
	expect(t, "create twice", code(err), "PreconditionFailed")
	second, err := put("2", &first, nil)
	must(t, err)
	_, err = put("3", &first, nil)
	expect(t, "swap an old one", code(err), "PreconditionFailed")
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	must(t, err)
	body, _ := io.ReadAll(got.Body)
	expect(t, "body and ETag", string(body)+*got.ETag, "2"+second)
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	must(t, err)
	_, err = put("4", nil, once)
	must(t, err)
}

// A body that arrives twice is stored whole.
func TestObjectArrivesTwice(t *testing.T) {
	fault := awsfake.Fault{Again: true}
	w := newWorld(t, 1, only("PutObject", &fault))
	c := w.S3("test")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("b"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	must(t, err)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("whole")})
	must(t, err)
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	must(t, err)
	body, err := io.ReadAll(got.Body)
	must(t, err)
	expect(t, "body", string(body), "whole")
}

func TestListObjects(t *testing.T) {
	w := newWorld(t, 1, nil)
	c := w.S3("test")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("b"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	must(t, err)
	for _, key := range []string{"s/2", "s/1", "other", "s/3"} {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: &key})
		must(t, err)
	}
	var keys []string
	for p := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: aws.String("s/"), MaxKeys: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, err)
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	expect(t, "keys", strings.Join(keys, " "), "s/1 s/2 s/3")
}
