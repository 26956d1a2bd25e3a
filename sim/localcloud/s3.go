package localcloud

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// s3 serves one request to path-style S3.
func (s *Server) s3(client *awsfake.S3Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bucket, key, object := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		action := s3Action(r, object && key != "")
		body, err := readBody(r)
		if err != nil {
			s3Error(w, r, awsfake.Error("IncompleteBody", err.Error()))
			return
		}
		out, err := s.invoke(r.Context(), client, action, func(in reflect.Value) error {
			request := &node{}
			if action == "CreateBucket" {
				root, err := readXML(bytes.NewReader(body))
				if err != nil {
					return err
				}
				request.kid("CreateBucketConfiguration").kids = root.kids
			}
			set := func(field, value string) {
				if value != "" {
					request.kid(field).text = value
				}
			}
			set("Bucket", bucket)
			set("Key", key)
			set("IfMatch", r.Header.Get("If-Match"))
			set("IfNoneMatch", r.Header.Get("If-None-Match"))
			set("Prefix", r.URL.Query().Get("prefix"))
			set("MaxKeys", r.URL.Query().Get("max-keys"))
			set("StartAfter", r.URL.Query().Get("start-after"))
			set("ContinuationToken", r.URL.Query().Get("continuation-token"))
			if put, ok := in.Addr().Interface().(*s3.PutObjectInput); ok {
				put.Body = bytes.NewReader(body)
			}
			return fill(in, request)
		})
		if err != nil {
			s3Error(w, r, err)
			return
		}
		writeS3(w, r, out.Interface())
	})
}

func s3Action(r *http.Request, object bool) string {
	switch {
	case !object && r.Method == http.MethodPut:
		return "CreateBucket"
	case !object && r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		return "ListObjectsV2"
	case !object:
		return ""
	}
	return map[string]string{"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}[r.Method]
}

// writeS3 writes what S3 answers: mostly headers.
func writeS3(w http.ResponseWriter, r *http.Request, out any) {
	v := reflect.ValueOf(out).Elem()
	h := w.Header()
	if f := v.FieldByName("ETag"); f.IsValid() {
		h.Set("ETag", f.Elem().String())
	}
	if f := v.FieldByName("ContentLength"); f.IsValid() && !f.IsNil() {
		h.Set("Content-Length", strconv.FormatInt(f.Elem().Int(), 10))
	}
	switch out := out.(type) {
	case *s3.HeadObjectOutput:
		h.Set("Last-Modified", out.LastModified.Format(http.TimeFormat))
	case *s3.GetObjectOutput:
		h.Set("Last-Modified", out.LastModified.Format(http.TimeFormat))
		body, _ := io.ReadAll(out.Body)
		if r.Header.Get("x-amz-checksum-mode") != "" {
			h.Set("x-amz-checksum-crc32", base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))))
		}
		w.Write(body)
	case *s3.ListObjectsV2Output:
		var b strings.Builder
		b.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
		s3Dialect.encode(&b, v)
		b.WriteString("</ListBucketResult>")
		reply(w, http.StatusOK, b.String())
	case *s3.DeleteObjectOutput:
		w.WriteHeader(http.StatusNoContent)
	}
}

func s3Error(w http.ResponseWriter, r *http.Request, err error) {
	status, code, message := failure(err)
	if r.Method == http.MethodHead {
		w.WriteHeader(status) // no body tells more
		return
	}
	var b strings.Builder
	b.WriteString("<Error>")
	text(&b, "Code", code)
	text(&b, "Message", message)
	text(&b, "RequestId", w.Header().Get("x-amzn-RequestId"))
	b.WriteString("</Error>")
	reply(w, status, b.String())
}

// readBody reads a body, which clients may send in chunks with a checksum behind
// them (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html).
func readBody(r *http.Request) ([]byte, error) {
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return io.ReadAll(r.Body)
	}
	var body bytes.Buffer
	for in := bufio.NewReader(r.Body); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		length, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		size, err := strconv.ParseInt(length, 16, 64)
		if err != nil {
			return nil, err
		}
		if size == 0 {
			return body.Bytes(), nil // trailers follow
		}
		if _, err := io.CopyN(&body, in, size); err != nil {
			return nil, err
		}
		if _, err := in.Discard(2); err != nil {
			return nil, err
		}
	}
}
