/* Where places and taps of a convolution's window lie in memory.
 *
 * A place is where the window stands, (n, i, j); a tap is an element of it, (p, q, c). What the
 * window sees through its taps are the patches of the image, and their elements lie at
 *     patch(place, tap) = x[x_place[place] + x_tap[tap]]
 * as long as there is no padding. So images are cut into strips, each for some lines of places,
 * or for several images if these are small; and if there is padding, the strip is copied to where
 * there is room for zeros around it. All strips have the same tables.
 *
 * With groups, there is a convolution for each group of channels and filters. If a group is one
 * channel and one filter, they are all taken together as one group, whose columns are the channels:
 * each column then has numbers of its own in x.
 */
#ifndef TINYDL_CONV_PLACES_H
#define TINYDL_CONV_PLACES_H

#include <stdlib.h>
#include <string.h>

#include "conv_tile.h"
#include "window.h"

typedef struct {
    int64_t images, lines;       /* of places, in a strip */
    int64_t line_blocks, count;  /* strips of an image, or of so many images; of the batch */
    int64_t height, width;       /* of what windows see of an image, with padding */
    int copied;                  /* to where there is padding */
    int64_t row_step, image_step; /* from a row to the next, from an image to the next */
    int each_channel;            /* whether groups are of one channel and one filter */
    int64_t groups, filters, taps; /* groups to be computed, and what one has */
    int64_t *x_place, *y_place;  /* (images * lines * output_width): in the strip, and in y */
    int64_t *x_tap, *w_tap;      /* (window_height, window_width, channels / groups): in w, too */
} strips;

/* So many that a panel of w serves often once it is in the cache, and so few that the strip itself
 * stays in the L2 cache while it serves. */
#define PLACES_OF_STRIP 192

/* Numbers in images with their padding that no memory holds, and no arithmetic has to cope with. */
#define LARGEST_COPY 1e15

typedef struct {
    int64_t image, images, line, lines;
    int64_t first_place, places;
} strip;

/* Channels of one group, and taps of a filter. */
static int64_t group_channels(const window *s)
{
    return s->channels / s->groups;
}

static int64_t count_taps(const window *s)
{
    return s->window_height * s->window_width * group_channels(s);
}

static int64_t count_places(const window *s)
{
    return s->batch * s->output_height * s->output_width;
}

/* How many rows of an image the windows of some lines see. */
static int64_t seen_rows(const window *s, int64_t lines)
{
    return (lines - 1) * s->stride_height + (s->window_height - 1) * s->dilation_height + 1;
}

/* Places of a strip, where it is not cut off by the end of the image or the batch. */
static int64_t places_of_strip(const window *s, const strips *t)
{
    return t->images * t->lines * s->output_width;
}

static void fill_tables(const window *s, const strips *t)
{
    int64_t place = 0, tap = 0;
    for (int64_t n = 0; n < t->images; n++)
        for (int64_t i = 0; i < t->lines; i++)
            for (int64_t j = 0; j < s->output_width; j++, place++) {
                t->x_place[place] = n * t->image_step + i * s->stride_height * t->row_step +
                                    j * s->stride_width * s->channels;
                t->y_place[place] = place * s->filters;
            }
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            for (int64_t c = 0; c < group_channels(s); c++, tap++) {
                t->x_tap[tap] = p * s->dilation_height * t->row_step +
                                q * s->dilation_width * s->channels + c;
                t->w_tap[tap] = tap * s->filters;
            }
}

/* Cuts the batch, which must not be empty, into strips of about PLACES_OF_STRIP. Returns 1 if there
 * is no memory for the tables; else free_strips frees them. */
static int make_strips(const window *s, strips *t)
{
    const int64_t places = PLACES_OF_STRIP;
    int64_t places_of_image = s->output_height * s->output_width;
    t->images = smaller((places + places_of_image - 1) / places_of_image, s->batch);
    t->line_blocks = smaller((places_of_image + places - 1) / places, s->output_height);
    t->lines = (s->output_height + t->line_blocks - 1) / t->line_blocks;
    t->line_blocks = (s->output_height + t->lines - 1) / t->lines;
    t->count = (s->batch + t->images - 1) / t->images * t->line_blocks;
    t->height = seen_rows(s, s->output_height);
    t->width = (s->output_width - 1) * s->stride_width +
               (s->window_width - 1) * s->dilation_width + 1;
    t->each_channel = s->groups > 1 && s->groups == s->channels && s->groups == s->filters;
    t->groups = t->each_channel ? 1 : s->groups;
    t->filters = s->filters / t->groups;
    t->taps = count_taps(s);

    /* Where columns have numbers of their own, a tile of them may hang over the end of x, too. */
    t->copied = s->padding_top > 0 || s->padding_left > 0 || t->height > s->height ||
                t->width > s->width || (t->each_channel && s->channels % TILE_COLUMNS != 0);
    t->row_step = (t->copied ? t->width : s->width) * s->channels;
    t->image_step = (t->copied ? t->height : s->height) * t->row_step;
    if ((double)t->images * t->height * t->width * s->channels > LARGEST_COPY)
        return 1;

    int64_t entries = places_of_strip(s, t);
    t->x_place = malloc((2 * entries + 2 * t->taps) * sizeof(int64_t));
    if (t->x_place == NULL)
        return 1;
    t->y_place = t->x_place + entries;
    t->x_tap = t->y_place + entries;
    t->w_tap = t->x_tap + t->taps;
    fill_tables(s, t);
    return 0;
}

static void free_strips(strips *t)
{
    free(t->x_place);
}

static strip strip_at(const window *s, const strips *t, int64_t number)
{
    strip one = {.image = number / t->line_blocks * t->images,
                 .line = number % t->line_blocks * t->lines};
    one.images = smaller(t->images, s->batch - one.image);
    one.lines = smaller(t->lines, s->output_height - one.line);
    one.first_place = (one.image * s->output_height + one.line) * s->output_width;
    one.places = one.images * one.lines * s->output_width;
    return one;
}

/* How many numbers the copy of a strip has, or of all strips of its images. */
static int64_t strip_size(const window *s, const strips *t)
{
    int64_t rows = t->images * seen_rows(s, t->lines);
    return t->copied ? round_up(rows * t->row_step + TILE_COLUMNS, CACHE_LINE) : 0;
}

static int64_t images_size(const strips *t)
{
    return t->copied ? round_up(t->images * t->image_step + TILE_COLUMNS, CACHE_LINE) : 0;
}

/* How many numbers of an image's row its copy has, too. */
static int64_t visible_numbers(const window *s, const strips *t)
{
    int64_t columns = smaller(s->width, t->width - s->padding_left);
    return columns > 0 ? columns * s->channels : 0;
}

/* The strip's numbers of x: where they are, or copied to the room, with zeros around them. */
static const real *open_strip(const window *s, const strips *t, const strip *one, const real *x,
                              real *room)
{
    if (!t->copied)
        return x + x_at(s, one->image, one->line * s->stride_height, 0, 0);
    int64_t height = seen_rows(s, one->lines), visible = visible_numbers(s, t);
    int64_t left = s->padding_left * s->channels, right = t->row_step - left - visible;
    real *to = room;
    for (int64_t n = 0; n < one->images; n++)
        for (int64_t r = 0; r < height; r++, to += t->row_step) {
            int64_t row = one->line * s->stride_height + r - s->padding_top;
            if (row < 0 || row >= s->height || visible == 0) {
                memset(to, 0, t->row_step * sizeof(real));
                continue;
            }
            memset(to, 0, left * sizeof(real));
            memcpy(to + left, x + x_at(s, one->image + n, row, 0, 0), visible * sizeof(real));
            memset(to + left + visible, 0, right * sizeof(real));
        }
    memset(to, 0, TILE_COLUMNS * sizeof(real));
    return room;
}

/* In open_strip, the room was x, with zeros around it; so now x_bar is the inner part of the
 * room, which is of whole images. */
static void close_images(const window *s, const strips *t, const strip *one, const real *room,
                         real *x_bar)
{
    int64_t row_size = s->width * s->channels, visible = visible_numbers(s, t);
    for (int64_t n = 0; n < one->images; n++)
        for (int64_t row = 0; row < s->height; row++) {
            real *to = x_bar + x_at(s, one->image + n, row, 0, 0);
            int64_t r = row + s->padding_top, seen = r < t->height ? visible : 0;
            if (seen > 0)
                memcpy(to, room + (n * t->height + r) * t->row_step + s->padding_left * s->channels,
                       seen * sizeof(real));
            memset(to + seen, 0, (row_size - seen) * sizeof(real));
        }
}

#endif
