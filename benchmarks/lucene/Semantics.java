import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.AnalyzerWrapper;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.queries.spans.SpanNearQuery;
import org.apache.lucene.queries.spans.SpanNotQuery;
import org.apache.lucene.queries.spans.SpanOrQuery;
import org.apache.lucene.queries.spans.SpanQuery;
import org.apache.lucene.queries.spans.SpanTermQuery;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;

/**
 * What Lucene finds: java Semantics.java QUERIES ARTICLES prints, a line a query, the numbers of the articles it hits.
 *
 * <p>ARTICLES: title, tab, text a line. QUERIES: "parse" and a query for the classic query parser (its default operator
 * set to AND), "least N" and queries for it, a tab between, of which N must hold; or "spans" and a tree in prefix
 * notation over the field of title and text: w word, p N word … (phrase), o N … (or), near SLOP ORDERED N …, apart
 * BEFORE BEHIND kept banned.
 */
public final class Semantics {
  private static final String ALL = "all"; // title and text, far apart, as an article is searched without a scope
  private static final int GAP = 1000;

  public static void main(String[] args) throws IOException, ParseException {
    Analyzer analyzer = gapped(new StandardAnalyzer());
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
      for (String line : Files.readAllLines(Path.of(args[1]))) {
        String[] parts = line.split("\t", -1);
        Document document = new Document();
        document.add(new TextField("title", parts[0], Field.Store.NO));
        document.add(new TextField("body", parts[1], Field.Store.NO));
        document.add(new TextField(ALL, parts[0], Field.Store.NO));
        document.add(new TextField(ALL, parts[1], Field.Store.NO));
        writer.addDocument(document);
      }
      writer.forceMerge(1); // one segment: numbers are those of the lines
    }
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      IndexSearcher searcher = new IndexSearcher(reader);
      for (String line : Files.readAllLines(Path.of(args[0]))) {
        List<Integer> found = new ArrayList<>();
        for (ScoreDoc hit : searcher.search(query(line, analyzer), Math.max(1, reader.maxDoc())).scoreDocs) {
          found.add(hit.doc);
        }
        out.println(found.stream().sorted().map(String::valueOf).collect(Collectors.joining(" ")));
      }
    }
  }

  private static Query query(String line, Analyzer analyzer) throws ParseException {
    String[] parts = line.split(" ", 2);
    switch (parts[0]) {
      case "parse":
        return parsed(parts[1], analyzer);
      case "least":
        String[] rest = parts[1].split(" ", 2);
        BooleanQuery.Builder builder = new BooleanQuery.Builder();
        builder.setMinimumNumberShouldMatch(Integer.parseInt(rest[0]));
        for (String one : rest[1].split("\t")) {
          builder.add(parsed(one, analyzer), Occur.SHOULD);
        }
        return builder.build();
      default:
        return spans(Arrays.asList(parts[1].split(" ")).iterator());
    }
  }

  private static Query parsed(String text, Analyzer analyzer) throws ParseException {
    QueryParser parser = new QueryParser(ALL, analyzer);
    parser.setDefaultOperator(QueryParser.Operator.AND);
    parser.setAllowLeadingWildcard(true);
    return parser.parse(text);
  }

  private static SpanQuery spans(Iterator<String> words) {
    switch (words.next()) {
      case "w":
        return new SpanTermQuery(new Term(ALL, words.next()));
      case "p":
        SpanQuery[] row = new SpanQuery[Integer.parseInt(words.next())];
        for (int i = 0; i < row.length; i++) {
          row[i] = new SpanTermQuery(new Term(ALL, words.next()));
        }
        return new SpanNearQuery(row, 0, true);
      case "o":
        SpanQuery[] any = new SpanQuery[Integer.parseInt(words.next())];
        for (int i = 0; i < any.length; i++) {
          any[i] = spans(words);
        }
        return new SpanOrQuery(any);
      case "near":
        int slop = Integer.parseInt(words.next());
        boolean ordered = Boolean.parseBoolean(words.next());
        SpanQuery[] close = new SpanQuery[Integer.parseInt(words.next())];
        for (int i = 0; i < close.length; i++) {
          close[i] = spans(words);
        }
        return new SpanNearQuery(close, slop, ordered);
      default:
        int before = Integer.parseInt(words.next());
        int behind = Integer.parseInt(words.next());
        SpanQuery kept = spans(words);
        return new SpanNotQuery(kept, spans(words), before, behind);
    }
  }

  private static Analyzer gapped(Analyzer inner) {
    return new AnalyzerWrapper(Analyzer.PER_FIELD_REUSE_STRATEGY) {
      @Override
      protected Analyzer getWrappedAnalyzer(String field) {
        return inner;
      }

      @Override
      public int getPositionIncrementGap(String field) {
        return GAP;
      }
    };
  }
}
