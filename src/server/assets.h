/*
 * The files of dist/ that browsers fetch, held in the program itself, so that one file is a whole
 * deployment. The build makes them into C with embed.mjs.
 */
#ifndef MS_ASSETS_H
#define MS_ASSETS_H

#include "../core/slice.h"

typedef enum { MS_IDENTITY, MS_BROTLI, MS_GZIP, MS_ENCODINGS } ms_encoding;

typedef struct {
    const char *path; /* begins with "/" */
    const char *content_type;
    ms_slice body[MS_ENCODINGS];
    const char *etag[MS_ENCODINGS]; /* with its quotes; another one for each encoding */
} ms_asset;

extern const ms_asset ms_assets[];
extern const size_t ms_asset_count;

/* 16 hexadecimal digits that change whenever one of the files does. */
extern const char ms_release[];

#endif
