package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config is a bucket of any storage that speaks Amazon's S3 protocol.
type S3Config struct {
	// Endpoint is the server, such as "https://s3.eu-central-003.backblazeb2.com".
	Endpoint string
	// Region is the bucket's; "" is asked for.
	Region string
	Bucket string
	// Prefix comes before the names of all files; "poolscope/" is a folder.
	Prefix string
	// AccessKey and SecretKey: at Backblaze the keyID and applicationKey.
	AccessKey, SecretKey string
	// PathStyle puts the bucket into the path and not into the host name.
	PathStyle bool
}

// S3 is a bucket.
type S3 struct {
	client *minio.Client
	cfg    S3Config
}

// answerTimeout is how long a server may take to begin an answer.
const answerTimeout = time.Minute

// NewS3 returns a target in a bucket. Nothing is connected to.
func NewS3(cfg S3Config) (*S3, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("S3 endpoint %q must be like https://s3.example.com", cfg.Endpoint)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	transport.ResponseHeaderTimeout = answerTimeout
	lookup := minio.BucketLookupAuto
	if cfg.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure: u.Scheme == "https", Region: cfg.Region, Transport: transport, BucketLookup: lookup,
	})
	if err != nil {
		return nil, fmt.Errorf("S3 storage: %w", err)
	}
	return &S3{client: client, cfg: cfg}, nil
}

// Name implements [Target].
func (s *S3) Name() string { return "s3" }

// Location implements [Target]: bucket and prefix at the endpoint.
func (s *S3) Location() string {
	return strings.TrimRight(s.cfg.Endpoint, "/") + "/" + s.cfg.Bucket + "/" + s.cfg.Prefix
}

// maxListed bounds the files of a bucket that are listed.
const maxListed = 100_000

// List implements [Target]. Others may have millions of files in the bucket: the
// storage is asked for those that may be archives.
func (s *S3) List(ctx context.Context) ([]File, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when it is left early
	var all []File
	for o := range s.client.ListObjects(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix + namePrefix}) {
		if o.Err != nil {
			return nil, explainS3(o.Err)
		}
		if len(all) == maxListed {
			return nil, fmt.Errorf("S3 storage lists more than %d files that begin with %s", maxListed, s.cfg.Prefix+namePrefix)
		}
		if name := strings.TrimPrefix(o.Key, s.cfg.Prefix); !strings.Contains(name, "/") {
			all = append(all, File{Name: name, Bytes: o.Size})
		}
	}
	return all, nil
}

// Put implements [Target].
func (s *S3) Put(ctx context.Context, name, path string) error {
	_, err := s.client.FPutObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, path, minio.PutObjectOptions{ContentType: "application/octet-stream", NumThreads: 1})
	return explainS3(err)
}

// PutSmall implements [Target].
func (s *S3) PutSmall(ctx context.Context, name string, data []byte) error {
	_, err := s.client.PutObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, strings.NewReader(string(data)), int64(len(data)), minio.PutObjectOptions{ContentType: "text/plain"})
	return explainS3(err)
}

// Get implements [Target].
func (s *S3) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := s.client.GetObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, explainS3(err)
	}
	// GetObject asks for nothing by itself.
	if _, err := o.Stat(); err != nil {
		_ = o.Close() // it was never open
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
		}
		return nil, explainS3(err)
	}
	return o, nil
}

// Delete implements [Target].
func (s *S3) Delete(ctx context.Context, name string) error {
	return explainS3(s.client.RemoveObject(ctx, s.cfg.Bucket, s.cfg.Prefix+name, minio.RemoveObjectOptions{}))
}

// Sweep implements [Target]: parts of uploads that never ended are in no list of
// files, but take room that is paid for.
func (s *S3) Sweep(ctx context.Context, before time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 2*answerTimeout)
	defer cancel() // ends the listing when it is left early
	for u := range s.client.ListIncompleteUploads(ctx, s.cfg.Bucket, s.cfg.Prefix+namePrefix, false) {
		if u.Err != nil {
			return explainS3(u.Err)
		}
		if _, _, ok := ParseName(strings.TrimPrefix(u.Key, s.cfg.Prefix)); !ok || !u.Initiated.Before(before) {
			continue
		}
		if err := s.client.RemoveIncompleteUpload(ctx, s.cfg.Bucket, u.Key); err != nil {
			return explainS3(err)
		}
	}
	return nil
}

// explainS3 keeps of an answer what a person needs.
func explainS3(err error) error {
	if err == nil {
		return nil
	}
	answer := minio.ToErrorResponse(err)
	if answer.StatusCode == 0 {
		var u *url.Error
		if errors.As(err, &u) {
			return fmt.Errorf("S3 storage does not answer: %w", u.Err) // without the address, which may be signed
		}
		return fmt.Errorf("S3 storage: %w", err)
	}
	return fmt.Errorf("S3 storage answers %d %s: %s", answer.StatusCode, answer.Code, answer.Message)
}
