import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.AnalyzerWrapper;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.ar.ArabicNormalizationFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.monitor.Monitor;
import org.apache.lucene.monitor.MonitorConfiguration;
import org.apache.lucene.monitor.MonitorQuery;
import org.apache.lucene.monitor.MultipassTermFilteredPresearcher;
import org.apache.lucene.monitor.Presearcher;
import org.apache.lucene.monitor.QueryMatch;
import org.apache.lucene.monitor.TermFilteredPresearcher;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.QueryBuilder;

/**
 * Lucene Monitor beside Rasid: java Percolate.java RULES ARTICLES ANALYZER PASSES.
 *
 * <p>RULES: a query a line in prefix notation: a N … (and), o N … (or), n … (not), p SLOP N word … (phrase), t word.
 * ARTICLES: title, tab, text a line. ANALYZER: arabic (Lucene's own, which stems) or plain (letters normalised, no
 * stems); neither drops words. PASSES: 1 for TermFilteredPresearcher, else MultipassTermFilteredPresearcher with so many.
 * Says "ready"; then for each line "FROM TO" matches those articles and prints nanoseconds (of this
 * thread) and matches.
 */
public final class Percolate {
  private static final String TEXT = "text";
  private static final int GAP = 100; // no phrase reaches from the title into the text

  public static void main(String[] args) throws IOException {
    Analyzer analyzer = gapped(args[2].equals("arabic") ? new ArabicAnalyzer(CharArraySet.EMPTY_SET) : plain());
    int passes = Integer.parseInt(args[3]);
    Presearcher presearcher =
        passes == 1 ? new TermFilteredPresearcher() : new MultipassTermFilteredPresearcher(passes);
    IndexSearcher.setMaxClauseCount(Integer.MAX_VALUE);
    ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (Monitor monitor = new Monitor(analyzer, presearcher, new MonitorConfiguration())) {
      register(monitor, Files.readAllLines(Path.of(args[0])), new QueryBuilder(analyzer));
      List<String> articles = Files.readAllLines(Path.of(args[1]));
      out.println("ready");
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] range = line.split(" ");
        long began = clock.getCurrentThreadCpuTime();
        long found = 0;
        for (String article : articles.subList(Integer.parseInt(range[0]), Integer.parseInt(range[1]))) {
          found += monitor.match(document(article), QueryMatch.SIMPLE_MATCHER).getMatchCount();
        }
        out.println((clock.getCurrentThreadCpuTime() - began) + " " + found);
      }
    }
  }

  private static Document document(String article) {
    int tab = article.indexOf('\t');
    Document document = new Document();
    document.add(new TextField(TEXT, article.substring(0, tab), Field.Store.NO));
    document.add(new TextField(TEXT, article.substring(tab + 1), Field.Store.NO));
    return document;
  }

  private static void register(Monitor monitor, List<String> lines, QueryBuilder builder) throws IOException {
    List<MonitorQuery> batch = new ArrayList<>();
    for (int number = 0; number < lines.size(); number++) {
      batch.add(new MonitorQuery("r" + number, new Reader(lines.get(number), builder).query()));
      if (batch.size() == 1000 || number == lines.size() - 1) {
        monitor.register(batch);
        batch.clear();
      }
    }
  }

  /** One query in prefix notation. */
  private static final class Reader {
    private final String[] words;
    private final QueryBuilder builder;
    private int at = 0;

    Reader(String line, QueryBuilder builder) {
      this.words = line.split(" ");
      this.builder = builder;
    }

    Query query() {
      String kind = words[at++];
      switch (kind) {
        case "t":
          return phrase(words[at++], 0);
        case "p":
          int slop = Integer.parseInt(words[at++]);
          int size = Integer.parseInt(words[at++]);
          at += size;
          return phrase(String.join(" ", Arrays.copyOfRange(words, at - size, at)), slop);
        case "a":
        case "o":
          return group(kind.equals("a") ? Occur.MUST : Occur.SHOULD);
        default:
          throw new IllegalArgumentException(kind + " in " + String.join(" ", words));
      }
    }

    private Query group(Occur occur) {
      BooleanQuery.Builder made = new BooleanQuery.Builder();
      for (int left = Integer.parseInt(words[at++]); left > 0; left--) {
        boolean negated = words[at].equals("n");
        at += negated ? 1 : 0;
        made.add(query(), negated ? Occur.MUST_NOT : occur);
      }
      return made.build();
    }

    private Query phrase(String text, int slop) {
      Query made = builder.createPhraseQuery(TEXT, text, slop);
      return made == null ? new MatchNoDocsQuery() : made;
    }
  }

  /** Words cut and their letters normalised as ArabicAnalyzer does, but not stemmed. */
  private static Analyzer plain() {
    return new Analyzer() {
      @Override
      protected TokenStreamComponents createComponents(String field) {
        Tokenizer words = new StandardTokenizer();
        return new TokenStreamComponents(words, new ArabicNormalizationFilter(new LowerCaseFilter(words)));
      }
    };
  }

  private static Analyzer gapped(Analyzer inner) {
    return new AnalyzerWrapper(Analyzer.GLOBAL_REUSE_STRATEGY) {
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
